"""Videos as frames: an image encoder, then pooling over time."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from torch import Tensor, nn

from trainwright.data.types import TensorSpec
from trainwright.fields import ComponentOf
from trainwright.models.arguments import build_model
from trainwright.models.features import feature_width
from trainwright.models.inputs import only_input


class Frames(nn.Module):
    """Features of every frame, pooled over time.

    Args:
        encoder: A frame `[N, C, H, W]` to features.
        width: Of the features.
        pool: `mean`, `max`, or `lstm` for its last state.
        num_outputs: Width of the output; 0 leaves the output layer out.
    """

    def __init__(self, encoder: nn.Module, width: int, pool: str, num_outputs: int) -> None:
        super().__init__()
        self.encoder, self.pool = encoder, pool
        self.recurrent = nn.LSTM(width, width, batch_first=True) if pool == "lstm" else None
        self.out_features = width
        self.head = nn.Linear(width, num_outputs) if num_outputs else nn.Identity()

    def forward(self, video: Tensor) -> Tensor:
        """A video `[B, C, T, H, W]` to `[B, num_outputs]`, or to features."""
        batch, _, count = video.shape[:3]
        frames = video.transpose(1, 2).flatten(0, 1)
        features = self.encoder(frames).view(batch, count, -1)
        if self.recurrent is not None:
            features = self.recurrent(features)[0][:, -1]
        else:
            features = features.mean(1) if self.pool == "mean" else features.amax(1)
        result: Tensor = self.head(features)
        return result


def frames(
    inputs: dict[str, TensorSpec],
    num_outputs: int,
    *,
    encoder: Annotated[dict[str, Any], ComponentOf("encoder")] = {"name": "cnn"},  # noqa: B006 - never changed
    pool: Literal["mean", "max", "lstm"] = "mean",
) -> nn.Module:
    """An encoder of images that sees every frame of a video, and pooling over time.

    Args:
        inputs: One video `[B, C, T, H, W]`.
        num_outputs: Width of the output `[B, num_outputs]`; 0 leaves the output layer out.
        encoder: Of a frame: cnn, any network of timm, or a module of your own.
        pool: Mean or maximum over time, or the last state of an LSTM.

    Raises:
        ModelError: The input is no video, or the encoder gives no vector.
    """
    channels, _, height, width = only_input(inputs, "frames", ("video",)).shape
    frame = {"frame": TensorSpec("image", (channels, height, width))}
    built = build_model(encoder, frame, 0, kind="encoder")
    return Frames(built, feature_width("frame", built, frame["frame"], "model.encoder"), pool, num_outputs)
