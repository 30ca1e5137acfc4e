"""How rows become outcomes: compiled kernels, torch on any device, worker processes, limits."""
