"""Side-by-side measurements of Trainwright, hand-written PyTorch loops and other training tools."""
