"""Detectors of ours and of torchvision on one backbone."""

MAKERS = (
    "ours",
    "ours_bf16",
    "torchvision",
    "torchvision_bf16",
    "torchvision_channels_last",
    "torchvision_best",
)
