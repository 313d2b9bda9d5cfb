"""Processors: a raw column becomes a tensor, and back. One file per column type."""
