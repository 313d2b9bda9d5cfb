"""Time to an accuracy: the best hand-written scripts, each a process from start to test accuracy."""
