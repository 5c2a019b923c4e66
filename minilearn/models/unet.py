"""U-Net on any encoder (Ronneberger et al. 2015), as fast.ai's lesson 7 builds it.

    unet(models.resnet34(), 3, norm="weight", blur=True)    # super-resolution: 41,229,213 weights
    unet(models.resnet()[:8], 2)                            # the net of the digits as an encoder

The encoder makes the picture small and deep, and knows *what* is there. The decoder doubles the
grid again and again, and hears from the encoder at each size *where* it was. Nobody writes down
the sizes: one blank image is sent through, and hooks read them.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from .. import nn
from ..tensor import Tensor
from .encoders import encoder_of
from .unet_block import UPSAMPLING, FitToOrig, UNetBlock, batch_norm, upsampling

NORMS = (None, "batch", "weight", "spectral")


class UNet(nn.SequentialEx):
    """What `unet` builds: encoder, middle, blocks that double the grid, head.

    `skips` are the hooks on the encoder, `split` the child at which its deeper half begins.
    """

    def __init__(self, encoder: nn.Sequential, skips: nn.Capture, split: int, *layers: nn.Module):
        super().__init__(encoder, *layers)
        self.skips, self.split = skips, split

    def forward(self, input: Tensor) -> Tensor:
        """input (N, C, H, W) -> (N, n_out, H, W), H and W of any size the encoder can take."""
        try:
            return super().forward(input)
        finally:
            self.skips.clear()  # or the last batch's graph would stay in memory

    def layer_groups(self) -> list[list[nn.Module]]:
        """Return the shallow half of the encoder, the deep half, and everything after it."""
        encoder, *decoder = self
        return [list(encoder)[: self.split], list(encoder)[self.split :], decoder]


def unet(
    encoder: nn.Module, n_out: int = 3, *, size: tuple[int, int] = (128, 128), skips: bool = True,
    last_cross: bool = True, bottle: bool = False, blur: bool = False, blur_final: bool = True,
    self_attention: bool = False, upsample: str = "shuffle", norm: str | None = None,
    leaky: float | None = None, y_range: tuple[float, float] | None = None, residual: bool = False,
) -> UNet:
    """Return a U-Net: (N, C, H, W) -> (N, n_out, H, W).

    encoder: a classifier (see `encoder_of`) or a Sequential that makes images smaller; it is not
    copied. size: height and width of the blank image that is sent through; others work too.
    skips: hand the encoder's activations across; last_cross: and the image itself, before a last
    residual block, with half the channels inside if bottle. blur: soften what was shuffled;
    blur_final: in the last block and behind it too. self_attention: in the third block from the
    end. upsample: "shuffle", "nearest", "bilinear" or "transposed". norm: of the decoder's
    convolutions, None, "weight", "spectral" or "batch". leaky: the slope of LeakyReLUs.
    y_range: squash the output between two numbers. residual: add the image to the output, which
    starts at 0: the net learns what to change. Without skips the image does not cross either.

    Raises ValueError for an encoder that keeps the size, and for options that do not fit together.

    >>> from minilearn import models, ones
    >>> net = unet(models.small_encoder((4, 8, 16)), 3)
    >>> net(ones(1, 3, 13, 10)).shape
    (1, 3, 13, 10)
    """
    encoder = encoder_of(encoder)
    channels = nn.in_channels(encoder)
    _check(n_out, channels, upsample, norm, y_range, residual)
    sizes = nn.output_sizes(encoder, size)
    places = crossings(sizes)
    hooks = nn.Capture([encoder[i] for i in places], detach=False)
    options: dict[str, Any] = {"norm": norm, "leaky": leaky}
    ni = sizes[-1][1]
    layers: list[nn.Module] = [
        batch_norm(ni), nn.ReLU(), nn.Sequential(nn.conv_layer(ni, 2 * ni, **options),
                                                nn.conv_layer(2 * ni, ni, **options))]
    for i, place in enumerate(places):
        last, attends = i == len(places) - 1, self_attention and i == max(len(places) - 3, 0)
        layers.append(UNetBlock(
            ni, sizes[place][1], hooks, i if skips else None, halve=last, upsample=upsample,
            blur=blur and (blur_final or not last), self_attention=attends, **options))
        ni = layers[-1].nf  # type: ignore[assignment]
    if sizes[0][2:] != size:  # the encoder's first child made the image smaller already
        layers.append(upsampling(upsample, ni, ni, blur and blur_final, **options))
    layers.append(FitToOrig())
    if skips and last_cross:
        ni += channels
        layers += [nn.MergeLayer(dense=True), nn.res_block(ni, bottle=bottle, **options)]
    layers.append(_output(ni, n_out, norm, residual))
    layers += [nn.MergeLayer()] if residual else []
    layers += [nn.SigmoidRange(*y_range)] if y_range else []
    return UNet(encoder, hooks, places[(len(places) - 1) // 2] + 1, *layers)


def crossings(sizes: list[tuple[int, ...]]) -> list[int]:
    """Return the children after which the grid changes, deepest first, given each one's output.

    >>> crossings([(1, 8, 16, 16), (1, 8, 16, 16), (1, 16, 8, 8), (1, 32, 4, 4)])
    [2, 1]
    """
    found = [i for i, (a, b) in enumerate(pairwise(sizes)) if a[2:] != b[2:]]
    if not found:
        raise ValueError("unet: every child of the encoder gives the same size, so there is no way "
                         "back up to learn; give an encoder that makes the image smaller")
    return found[::-1]


def _output(ni: int, n_out: int, norm: str | None, residual: bool) -> nn.Sequential:
    """Return the last 1x1 convolution, never with batch norm: outputs depend on their own image."""
    if residual:
        return nn.conv_layer(ni, n_out, ks=1, norm=None, use_activ=False,
                             init_weight=nn.init.zeros_)
    return nn.conv_layer(ni, n_out, ks=1, norm=None if norm == "batch" else norm, use_activ=False)


def _check(n_out, channels, upsample, norm, y_range, residual) -> None:
    if upsample not in UPSAMPLING:
        raise ValueError(f"unet: upsample must be one of {UPSAMPLING}, got {upsample!r}")
    if norm not in NORMS:
        raise ValueError(f"unet: norm must be one of {NORMS}, got {norm!r}")
    if residual and (n_out != channels or y_range):
        raise ValueError(f"unet: residual adds the image of {channels} channels to the output, so "
                         f"n_out must be {channels} and y_range None; got n_out={n_out}, "
                         f"y_range={y_range}")
