"""The order in which an epoch visits its rows: pure functions of (seed, epoch, rows)."""
