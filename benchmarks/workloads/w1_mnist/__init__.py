"""W1: MNIST's 60,000 images, a CNN of 16-32-64 channels, batch 256, 2 epochs, SGD; 10,000 validate."""

BATCH, EPOCHS, LEARNING_RATE, MOMENTUM = 256, 2, 0.02, 0.9
MEAN, STD = 0.1307, 0.3081
