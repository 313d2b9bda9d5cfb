"""Data sets written in other formats, one format a file."""
