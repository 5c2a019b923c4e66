"""The net that paints a photograph in a learnt style, in one pass (Johnson et al. 2016)."""

from __future__ import annotations

from .. import nn
from ..errors import ShapeError, explain
from ..tensor import Tensor

NORMS = {"instance": lambda nf: nn.InstanceNorm2d(nf, affine=True), "batch": nn.BatchNorm2d}


class StyleBlock(nn.Module):
    """Two 3x3 convolutions without padding, added to the middle of the input.

    (N, nf, H, W) -> (N, nf, H - 4, W - 4); there is no ReLU after the sum.
    """

    def __init__(self, nf: int, norm: str):
        super().__init__()
        self.layers = nn.Sequential(nn.Conv2d(nf, nf, 3), make_norm(norm, nf), nn.ReLU(),
                                    nn.Conv2d(nf, nf, 3), make_norm(norm, nf))

    def forward(self, input: Tensor) -> Tensor:
        """input (N, nf, H, W) -> (N, nf, H - 4, W - 4)."""
        return input[:, :, 2:-2, 2:-2] + self.layers(input)


class StyleNet(nn.Module):
    """What `style_net` builds: a mirrored frame, down, residual blocks, up, and the size of before.

    The blocks have no padding, which would put a border into the style; they eat the frame up.
    """

    def __init__(self, layers: nn.Sequential, frame: int):
        super().__init__()
        self.layers, self.frame = layers, frame

    def forward(self, input: Tensor) -> Tensor:
        """input (N, 3, H, W) -> the same shape, from about -0.09 to 1.09; H and W above `frame`."""
        h, w = input.shape[2:]
        if min(h, w) <= self.frame:
            raise ShapeError(explain("StyleNet", f"height and width must be above {self.frame}, "
                                     "the width of the mirrored frame", {"input": input},
                                     "enlarge the picture first"))
        y = nn.functional.pad(input, (self.frame,) * 4, mode="reflect")
        y = self.layers(y)[:, :, :h, :w]  # a little more comes out where 4 does not divide
        return y * (150 / 255) + 0.5


def style_net(
    widths: tuple[int, int, int] = (32, 64, 128), blocks: int = 5, norm: str = "instance",
    upsample: str = "transposed",
) -> StyleNet:
    """Return the net: 9x9, two 3x3 of stride 2, residual blocks, two of stride 1/2, 9x9, tanh.

    widths: channels at each of three sizes; the released models have half as many. norm:
    "instance" (Ulyanov et al. 2016) or "batch", as in the paper. upsample: "transposed", or
    "nearest", which leaves no checkerboard. Images are RGB in [0, 1]. Raises ValueError.

    >>> from minilearn import zeros
    >>> style_net((2, 3, 4), blocks=1)(zeros(1, 3, 18, 21)).shape
    (1, 3, 18, 21)
    """
    if norm not in NORMS or upsample not in ("transposed", "nearest"):
        raise ValueError(f"style_net: norm must be one of {', '.join(NORMS)} and upsample "
                         f"transposed or nearest; got norm={norm!r}, upsample={upsample!r}")
    a, b, c = widths
    layers = [nn.Conv2d(3, a, 9, padding=4), make_norm(norm, a), nn.ReLU()]
    for ni, nf in ((a, b), (b, c)):
        layers += [nn.Conv2d(ni, nf, 3, 2, padding=1), make_norm(norm, nf), nn.ReLU()]
    layers += [StyleBlock(c, norm) for _ in range(blocks)]
    for ni, nf in ((c, b), (b, a)):
        layers += [enlarging(ni, nf, upsample), make_norm(norm, nf), nn.ReLU()]
    layers += [nn.Conv2d(a, 3, 9, padding=4), nn.Tanh()]
    return StyleNet(nn.Sequential(*layers), frame=4 * 2 * blocks)  # 2 pixels a block at a quarter


def make_norm(norm: str, nf: int) -> nn.Module:
    """Return the normalisation; the scale of instance norm starts in U(0, 1), as in the paper."""
    layer = NORMS[norm](nf)
    if norm == "instance":
        nn.init.uniform_(layer.weight)
    return layer


def enlarging(ni: int, nf: int, upsample: str) -> nn.Module:
    """Return a 3x3 convolution of stride 1/2."""
    if upsample == "nearest":
        return nn.Sequential(nn.Upsample(scale_factor=2), nn.Conv2d(ni, nf, 3, padding=1))
    return nn.ConvTranspose2d(ni, nf, 3, stride=2, padding=1, output_padding=1)
