"""VGG: stacks of 3x3 convolutions (Simonyan & Zisserman 2014), built and named as in torchvision.

    model = models.vgg16_bn(init_weights=False)
    weights.load_into(model, "vgg16_bn.pth")

`vgg_features` takes one apart for a feature loss.
Inputs are RGB images (N, 3, H, W); torchvision's weights expect each channel normalised by the mean
(0.485, 0.456, 0.406) and standard deviation (0.229, 0.224, 0.225) of ImageNet.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .. import nn
from ..tensor import Tensor

WIDTHS = (64, 128, 256, 512, 512)  # channels of the five stages; a pool ends each
STAGES = {11: (1, 1, 2, 2, 2), 13: (2, 2, 2, 2, 2), 16: (2, 2, 3, 3, 3), 19: (2, 2, 4, 4, 4)}


def feature_stack(
    depth: int, batch_norm: bool = False, padding_mode: str = "zeros"
) -> nn.Sequential:
    """Return the convolutions of a VGG of 11, 13, 16 or 19 layers: (N, 3, H, W) -> (N, 512, ...).

    Each of five stages halves height and width. A slice is a net with the same weights, as in
    `features[:16]`. Raises ValueError for another depth.
    """
    if depth not in STAGES:
        raise ValueError(f"feature_stack: depth must be one of {', '.join(map(str, STAGES))}, "
                         f"got {depth!r}")
    return conv_stages(STAGES[depth], WIDTHS, batch_norm, padding_mode)


def conv_stages(
    counts: Sequence[int], widths: Sequence[int], batch_norm: bool = False,
    padding_mode: str = "zeros",
) -> nn.Sequential:
    """Return stages of 3x3 convolutions, so many of such a width, a 2x2 pool after each stage."""
    layers: list[nn.Module] = []
    ni = 3
    for count, nf in zip(counts, widths, strict=True):
        for _ in range(count):
            layers.append(nn.Conv2d(ni, nf, 3, padding=1, padding_mode=padding_mode))
            layers += [nn.BatchNorm2d(nf), nn.ReLU()] if batch_norm else [nn.ReLU()]
            ni = nf
        layers.append(nn.MaxPool2d(2, stride=2))
    return nn.Sequential(*layers)


class VGG(nn.Module):
    """Convolutions, a mean over 7x7 places, three linear layers: (N, 3, H, W) -> (N, num_classes).

    features: a net with 512 channels at its end. init_weights: draw first values as torchvision
    does; False leaves the classifier's at 0, for weights that are loaded next.
    """

    def __init__(
        self, features: nn.Module, num_classes: int = 1000, init_weights: bool = True,
        dropout: float = 0.5,
    ):
        super().__init__()
        self.features = features
        self.avgpool = nn.AdaptiveAvgPool2d((7, 7))
        with nn.init.skipped():
            self.classifier = nn.Sequential(
                nn.Linear(512 * 7 * 7, 4096), nn.ReLU(), nn.Dropout(dropout),
                nn.Linear(4096, 4096), nn.ReLU(), nn.Dropout(dropout),
                nn.Linear(4096, num_classes))
        if init_weights:
            self.apply(_draw)

    def forward(self, x: Tensor) -> Tensor:
        """x (N, 3, H, W), height and width at least 32 -> (N, num_classes) scores."""
        return self.classifier(self.avgpool(self.features(x)).flatten(1))


def _draw(layer: nn.Module) -> None:
    if isinstance(layer, nn.Conv2d):
        nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
        nn.init.zeros_(layer.bias)
    elif isinstance(layer, nn.Linear):
        nn.init.normal_(layer.weight, 0, 0.01)
        nn.init.zeros_(layer.bias)


def small_vgg(
    num_classes: int = 10, widths: tuple[int, ...] = (32, 64, 128, 128), convs: int = 2
) -> nn.Sequential:
    """Return a VGG for small images, (N, 3, H, W) -> (N, num_classes): what two cores can train.

    features: stages of `convs` 3x3 convolutions with batch norm, halving the grid after each; then
    the mean of each channel and one linear layer. `minilearn pretrain vgg` trains it.
    """
    features = conv_stages((convs,) * len(widths), widths, batch_norm=True)
    features.apply(_draw)
    head = nn.Sequential(nn.PoolFlatten(), nn.Linear(widths[-1], num_classes))
    return nn.Sequential({"features": features, "classifier": head})


def _builder(depth: int, batch_norm: bool) -> Any:
    def build(num_classes: int = 1000, init_weights: bool = True, dropout: float = 0.5) -> VGG:
        with nn.init.skipped():
            features = feature_stack(depth, batch_norm)
        return VGG(features, num_classes, init_weights, dropout)

    build.__name__ = build.__qualname__ = f"vgg{depth}{'_bn' if batch_norm else ''}"
    build.__doc__ = (f"Return VGG-{depth} with{'' if batch_norm else 'out'} batch norm. With "
                     "init_weights=False all weights are 0, which takes no time.")
    return build


vgg11, vgg13, vgg16, vgg19 = (_builder(depth, False) for depth in STAGES)
vgg11_bn, vgg13_bn, vgg16_bn, vgg19_bn = (_builder(depth, True) for depth in STAGES)
