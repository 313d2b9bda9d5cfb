"""Optimizers: functions from named parameters to a `torch.optim.Optimizer`, one a file."""
