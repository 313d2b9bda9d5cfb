"""Networks written as a list of layers: definition, order, shapes, and the kinds of layers."""
