"""Problems whose tasks are lived through, one per file: the genome is scored by what it becomes in a lifetime."""
