"""Names of components in torch, torchvision, Keras and Albumentations, where no letters lead to ours."""

from __future__ import annotations

from trainwright.errors import letters_of

NAMES_ELSEWHERE: dict[str, dict[str, str]] = {
    "augment": {
        "RandomHorizontalFlip": "flip",
        "RandomVerticalFlip": "flip",
        "HorizontalFlip": "flip",
        "VerticalFlip": "flip",
        "RandomResizedCrop": "resized_crop",
        "RandomAffine": "affine",
        "ShiftScaleRotate": "affine",
        "RandomRotation": "rotation",
        "Rotate": "rotation",
        "RandomPerspective": "perspective",
        "ColorJitter": "colour_jitter",
        "RandomBrightnessContrast": "colour_jitter",
        "HueSaturationValue": "colour_jitter",
        "RandomGrayscale": "grayscale",
        "ToGray": "grayscale",
        "GaussianBlur": "blur",
        "GaussianNoise": "noise",
        "GaussNoise": "noise",
        "RandomErasing": "erasing",
        "CoarseDropout": "cutout",
        "TrivialAugmentWide": "trivial_augment",
        "TimeMasking": "time_mask",
        "FrequencyMasking": "frequency_mask",
    },
    "loss": {
        "CrossEntropyLoss": "cross_entropy",
        "NLLLoss": "cross_entropy",
        "categorical_crossentropy": "cross_entropy",
        "sparse_categorical_crossentropy": "cross_entropy",
        "BCELoss": "bce",
        "BCEWithLogitsLoss": "bce",
        "binary_crossentropy": "bce",
        "MSELoss": "mse",
        "L2Loss": "mse",
        "mean_squared_error": "mse",
        "L1Loss": "mae",
        "mean_absolute_error": "mae",
        "SmoothL1Loss": "huber",
        "HuberLoss": "huber",
        "PoissonNLLLoss": "poisson",
        "KLDivLoss": "kl",
        "CosineEmbeddingLoss": "cosine",
        "HingeEmbeddingLoss": "hinge",
    },
    "metric": {
        "acc": "accuracy",
        "sparse_categorical_accuracy": "accuracy",
        "categorical_accuracy": "accuracy",
        "top_5_accuracy": "top_k_accuracy",
        "f1_score": "f1",
        "AUC": "auroc",
        "roc_auc": "auroc",
        "mean_squared_error": "mse",
        "mean_absolute_error": "mae",
        "iou": "miou",
        "mean_iou": "miou",
        "jaccard": "miou",
        "ece": "calibration_error",
    },
    "schedule": {
        "CosineAnnealingLR": "cosine",
        "CosineAnnealingWarmRestarts": "cosine",
        "CosineDecay": "cosine",
        "StepLR": "step",
        "MultiStepLR": "step",
        "ExponentialLR": "exponential",
        "ExponentialDecay": "exponential",
        "PolynomialLR": "polynomial",
        "PolynomialDecay": "polynomial",
        "OneCycleLR": "one_cycle",
        "ReduceLROnPlateau": "plateau",
    },
    "processor": {
        "float": "number",
        "numeric": "number",
        "int": "number",
        "label": "category",
        "class": "category",
        "multilabel": "categories",
        "string": "text",
        "bbox": "boxes",
        "segmentation": "mask",
    },
}
"""Kind -> name elsewhere -> our component."""


def name_here(kind: str, name: str) -> str | None:
    """Our name of a component that other libraries call `name`, or None."""
    known = {letters_of(other): ours for other, ours in NAMES_ELSEWHERE.get(kind, {}).items()}
    return known.get(letters_of(name))
