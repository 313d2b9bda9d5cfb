"""Necks: feature maps in, feature maps of one width out, in which every level knows of the others.

A neck has `channels` and `strides` like a backbone, and takes and gives lists of maps, the finest first.
"""
