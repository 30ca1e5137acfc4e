"""`NeuronReplacement` on any torch network: how units are found, watched and replaced."""
