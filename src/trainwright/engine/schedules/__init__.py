"""Learning-rate schedules: pure functions of the step, one class a file. No torch."""
