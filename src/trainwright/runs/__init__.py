"""Run directories: layout, locks, records, metrics. Imports no torch."""
