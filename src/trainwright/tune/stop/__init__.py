"""When a trial is stopped before its end: one rule a file."""
