"""W3: 273 photos of clothing, timm's mobilenetv2_100 at 96 pixels, batch 32, 3 epochs, AdamW.

Resized crop and flip; 68 other photos validate.
"""

BATCH, EPOCHS, LEARNING_RATE, SIZE = 32, 3, 1e-3, 96
SMALLEST, RATIO = 0.35, 4 / 3
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
