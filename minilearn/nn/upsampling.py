"""Three ways to a finer grid, and what they leave behind: shuffled pixels, resizing, blur.

A transposed convolution is the fourth: `conv_layer(ni, nf, 2, stride=2, transpose=True)`.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from . import init
from .blocks import conv_layer
from .containers import Sequential
from .module import Module
from .pooling import AvgPool2d
from .rectifier import LeakyReLU, ReLU
from .spatial import PixelShuffle, ReplicationPad2d, Upsample


class Blur(Sequential):
    """The mean of each pixel and its neighbours above and to the left: (N, C, H, W), same size.

    It takes out the checkerboard that shuffled pixels leave (Sugawara et al. 2018).
    """

    def __init__(self) -> None:
        super().__init__(ReplicationPad2d((1, 0, 1, 0)), AvgPool2d(2, stride=1))


class PixelShuffleICNR(Sequential):
    """A grid `scale` times finer: 1x1 convolution, ReLU, pixel shuffle, and a blur if asked for.

    (N, ni, H, W) -> (N, nf, scale H, scale W); nf: as many as ni if None. norm: as for
    `conv_layer`, of the convolution. It starts as nearest-neighbour upsampling, whatever the norm
    (Aitken et al. 2017): the kernels behind one output channel are equal, see `init.icnr_`.

    >>> from minilearn import nn
    >>> [type(layer).__name__ for layer in nn.PixelShuffleICNR(8, 4, norm=None)]
    ['Sequential', 'ReLU', 'PixelShuffle']
    """

    def __init__(
        self, ni: int, nf: int | None = None, scale: int = 2, *, blur: bool = False,
        norm: str | None = "weight", leaky: float | None = None,
    ):
        nf = ni if nf is None else nf
        # The kernel is drawn before it is put under a norm, which then keeps what was drawn.
        conv = conv_layer(ni, nf * scale**2, ks=1, norm=norm, use_activ=False,
                          init_weight=partial(init.icnr_, scale=scale))
        layers: list[Module] = [conv, ReLU() if leaky is None else LeakyReLU(leaky),
                                PixelShuffle(scale)]
        super().__init__(*layers, *([Blur()] if blur else []))


class ResizeConv(Sequential):
    """A grid `scale` times finer by resizing, then a `conv_layer` (Odena et al. 2016).

    (N, ni, H, W) -> (N, nf, scale H, scale W). mode: "nearest" or "bilinear"; options: for
    `conv_layer`. Raises ValueError for another mode.
    """

    def __init__(self, ni: int, nf: int, scale: int = 2, mode: str = "nearest", **options: Any):
        if mode not in ("nearest", "bilinear"):
            raise ValueError(f'ResizeConv: mode must be "nearest" or "bilinear", got {mode!r}')
        super().__init__(Upsample(scale_factor=scale, mode=mode), conv_layer(ni, nf, **options))
