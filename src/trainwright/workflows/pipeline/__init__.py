"""Pipelines: a file of stages that depend on each other, each made once and found again by its salt."""
