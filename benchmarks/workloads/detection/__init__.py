"""Detectors of ours and of torchvision on one backbone."""
