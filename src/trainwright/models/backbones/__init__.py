"""Backbones: an image in, feature maps of falling resolution out.

A backbone is a module whose `forward` takes images `[B, C, H, W]` and gives a list of maps, the finest
first, and that says in `channels` and `strides` (pixels of the image per step of a map) what they are.
"""
