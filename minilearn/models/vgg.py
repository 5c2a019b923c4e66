"""VGG: stacks of 3x3 convolutions (Simonyan & Zisserman 2014), built and named as in torchvision.

    model = models.vgg16_bn(init_weights=False)
    weights.load_into(model, "vgg16_bn.pth")
    activations(named_layers(model.features), images, ["relu2_2", "relu3_3"])  # a feature loss

Inputs are RGB images (N, 3, H, W); torchvision's weights expect each channel normalised by the mean
(0.485, 0.456, 0.406) and standard deviation (0.229, 0.224, 0.225) of ImageNet.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from .. import nn
from ..tensor import Tensor

WIDTHS = (64, 128, 256, 512, 512)  # channels of the five stages; a pool ends each
STAGES = {11: (1, 1, 2, 2, 2), 13: (2, 2, 2, 2, 2), 16: (2, 2, 3, 3, 3), 19: (2, 2, 4, 4, 4)}
KINDS = {nn.Conv2d: "conv", nn.BatchNorm2d: "bn", nn.ReLU: "relu"}


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
    layers: list[nn.Module] = []
    ni = 3
    for count, nf in zip(STAGES[depth], WIDTHS, strict=True):
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

# ---------------------------------------------------------------- for feature losses


def named_layers(features: nn.Sequential) -> nn.Sequential:
    """Return the same layers under the paper's names: conv1_1, bn1_1, relu1_1, ..., pool5.

    >>> list(dict(named_layers(feature_stack(11)).named_children()))[:4]
    ['conv1_1', 'relu1_1', 'pool1', 'conv2_1']
    """
    named: dict[str, nn.Module] = {}
    stage, place = 1, 0
    for layer in features:
        if isinstance(layer, nn.MaxPool2d):
            named[f"pool{stage}"] = layer
            stage, place = stage + 1, 0
        else:
            place += isinstance(layer, nn.Conv2d)
            named[f"{KINDS[type(layer)]}{stage}_{place}"] = layer
    return nn.Sequential(named)


def activations(layers: nn.Sequential, input: Tensor, names: Iterable[str]) -> dict[str, Tensor]:
    """Return what comes out of the named layers, in the order of the net; the rest is not computed.

    Raises ValueError for a name that is not there.
    """
    wanted, there = set(names), dict(layers.named_children())
    found: dict[str, Tensor] = {}
    if unknown := wanted - there.keys():
        raise ValueError(f"activations: there is no layer {', '.join(sorted(unknown))}; "
                         f"the layers are {', '.join(there)}")
    for name, layer in there.items():
        if len(found) == len(wanted):
            break
        input = layer(input)
        if name in wanted:
            found[name] = input
    return found


def vgg19_normalised(arrays: Mapping[str, Any], padding_mode: str = "zeros") -> nn.Sequential:
    """Return VGG-19 up to relu3_1 with filters scaled to a mean activation of 1 (Gatys 2015).

    arrays: conv0_w, conv0_b, ..., conv3_1_b, as `weights.load("....npz")` returns them; conv0 turns
    RGB in [0, 1] into what the others expect. The layers are named conv0, conv1_1, relu1_1, ...,
    relu3_1: see `activations`. Raises RuntimeError that lists what is missing or does not fit.
    """
    with nn.init.skipped():
        stack = named_layers(feature_stack(19, padding_mode=padding_mode))
        layers = nn.Sequential({"conv0": nn.Conv2d(3, 3, 1), **dict(stack.named_children())})
    layers = layers[: list(dict(layers.named_children())).index("relu3_1") + 1]
    endings = {"_w": ".weight", "_b": ".bias"}
    layers.load_state_dict({n[:-2] + endings.get(n[-2:], n[-2:]): a for n, a in arrays.items()})
    return layers
