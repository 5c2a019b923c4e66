"""The decoder's half of a U-Net step: up, beside the encoder's activations, two convolutions."""

from __future__ import annotations

from typing import Any

from .. import functional as F
from .. import nn
from ..ops.pieces import cat
from ..tensor import Tensor

UPSAMPLING = ("shuffle", "nearest", "bilinear", "transposed")


class UNetBlock(nn.Module):
    """Double the grid, put the encoder's activations of that size beside it, convolve twice.

    ni, skip_channels: what comes from below and from the encoder. halve: bring the channels down to
    half, as the last block does. skip: number of the hook in `skips`, None to go without.
    """

    def __init__(
        self, ni: int, skip_channels: int, skips: nn.Capture, skip: int | None, halve: bool,
        blur: bool, upsample: str, self_attention: bool, leaky: float | None, **options: Any,
    ):
        super().__init__()
        self.skips, self.skip = skips, skip
        half = max(ni // 2, 1)
        self.up = upsampling(upsample, ni, half, blur, leaky=leaky, **options)
        self.bn = None if skip is None else batch_norm(skip_channels)
        width = half + (0 if skip is None else skip_channels)
        self.nf = nf = max(width // 2, 1) if halve else width
        self.relu = activation(leaky)
        self.conv1 = nn.conv_layer(width, nf, leaky=leaky, **options)
        self.conv2 = nn.conv_layer(nf, nf, leaky=leaky, self_attention=self_attention, **options)

    def forward(self, input: Tensor) -> Tensor:
        """input (N, ni, H, W) -> (N, nf, *), twice the size, or the size of the skip where odd."""
        x = self.up(input)
        if self.skip is not None:
            from_encoder = self.skips.stored[self.skip]
            x = cat([fitted(x, from_encoder), self.bn(from_encoder)], dim=1)
        return self.conv2(self.conv1(self.relu(x)))


class FitToOrig(nn.Module):
    """Resize to the size of the block's own input, where rounding has made another of it."""

    takes_orig = True

    def forward(self, input: Tensor, orig: Tensor) -> Tensor:
        """input (N, C, *), orig (N, *, H, W) -> (N, C, H, W)."""
        return fitted(input, orig)


def fitted(x: Tensor, like: Tensor) -> Tensor:
    """Return x with the height and width of `like`, by the nearest pixel."""
    size = like.shape[2:]
    return x if x.shape[2:] == size else F.interpolate(x, size, mode="nearest")


def batch_norm(nf: int) -> nn.BatchNorm2d:
    """Return batch norm whose shift starts at 0.001, as in the course."""
    layer = nn.BatchNorm2d(nf)
    nn.init.constant_(layer.bias, 1e-3)
    return layer


def activation(leaky: float | None) -> nn.Module:
    """Return a ReLU, or a LeakyReLU of a slope."""
    return nn.ReLU() if leaky is None else nn.LeakyReLU(leaky)


def upsampling(kind: str, ni: int, nf: int, blur: bool, **options: Any) -> nn.Module:
    """Return layers that double the grid, with `nf` channels, in one of the ways of UPSAMPLING."""
    if kind == "shuffle":
        return nn.PixelShuffleICNR(ni, nf, blur=blur, **options)
    if kind == "transposed":
        layers = nn.conv_layer(ni, nf, 2, stride=2, transpose=True, **options)
    else:
        layers = nn.ResizeConv(ni, nf, mode=kind, **options)
    return nn.Sequential(layers, nn.Blur()) if blur else layers
