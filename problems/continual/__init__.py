"""Streams that learners live on: tasks that change, with no end."""
