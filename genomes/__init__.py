"""What evolves: one kind of genome per file or folder, with its own variation operators beside it."""
