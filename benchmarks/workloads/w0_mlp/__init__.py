"""W0: an MLP of 32-64-64-10 on rows in RAM, batch 64, 3 epochs of 1,000 steps, AdamW."""

BATCH, EPOCHS, LEARNING_RATE = 64, 3, 1e-3
