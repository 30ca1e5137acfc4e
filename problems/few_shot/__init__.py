"""Tasks to be learned from a few examples: one distribution of tasks, and its problem, per file."""
