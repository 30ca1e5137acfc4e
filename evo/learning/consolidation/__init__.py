"""What was learned before, and how much of it each weight carries, so that what comes next leaves it standing."""
