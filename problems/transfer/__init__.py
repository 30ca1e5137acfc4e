"""Sequences of tasks for one large network, of which a pathway trains a part; what was learned is kept or reused."""
