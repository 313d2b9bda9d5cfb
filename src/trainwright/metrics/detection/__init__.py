"""Scoring of lists of objects by their similarity to the true ones: boxes, masks and points alike.

`evidence` gathers what was found and what there is from padded arrays, `matching` decides which finds
are right, and `curves` makes precision and recall of it, as COCO's evaluation does
(https://cocodataset.org/#detection-eval).
"""
