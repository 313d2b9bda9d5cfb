"""W2: 10,000 JPEGs of 32 pixels, timm's mobilenetv2_100, batch 64, crop and flip, 1 epoch, SGD.

10,000 other JPEGs validate.
"""

BATCH, EPOCHS, LEARNING_RATE, MOMENTUM, PADDING = 64, 1, 0.1, 0.9, 4
MEAN, STD = (0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)
