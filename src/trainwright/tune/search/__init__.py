"""How the next point is chosen: one search a file."""
