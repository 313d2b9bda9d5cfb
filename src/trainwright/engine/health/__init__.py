"""Health of a training: what goes wrong while it runs is noticed, named and acted upon."""
