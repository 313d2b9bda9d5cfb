"""Sinks: other trackers that are fed from a run's spool. None of them can slow or stop the run."""
