"""Supervised learning: inputs to targets."""
