"""Searching: a durable study of trials, and how the next point is chosen. Runs nothing itself."""
