"""What keeps networks able to learn: operators on a population of learners, each in a file of its own."""
