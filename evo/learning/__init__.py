"""What happens in a lifetime, or after a search: weights that are tuned while the network's structure stays."""
