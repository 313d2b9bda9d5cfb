"""Sources: where records come from. One file per format."""
