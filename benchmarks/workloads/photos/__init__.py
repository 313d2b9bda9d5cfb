"""Photos: JPEGs of 400 x 300 pixels, timm's resnet50 at 224 pixels, batch 256, bfloat16, 8 epochs, SGD."""

BATCH, EPOCHS, LEARNING_RATE, MOMENTUM, WEIGHT_DECAY, SIZE = 256, 8, 0.1, 0.9, 5e-5, 224
