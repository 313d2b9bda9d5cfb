"""Callbacks: what else happens at the events of a training."""
