"""Networks: what a recipe's `model` names.

A network takes a tensor `[B, ...]` when the recipe has one input and a dict of them when it has
several; it gives a tensor `[B, num_outputs]`, which the task splits per target, or a dict of one
tensor per target.
"""
