"""Champions to and from other programs: one format per file, each with Python functions and a place in `evo export`."""
