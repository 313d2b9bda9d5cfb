"""What this machine has free: memory of the host, of its control groups and of its GPUs."""
