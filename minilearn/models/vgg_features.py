"""VGG taken apart: its layers by the paper's names, and what comes out of some of them.

    layers = named_layers(models.vgg16_bn().features)
    activations(layers, images, last_of_each_grid(layers)[-3:])  # what a feature loss compares
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from .. import nn
from ..tensor import Tensor
from .vgg import feature_stack

KINDS = {nn.Conv2d: "conv", nn.BatchNorm2d: "bn", nn.ReLU: "relu"}


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


def last_of_each_grid(layers: nn.Sequential) -> list[str]:
    """Return the layers before each pool, and the last layer if it is none: one for each grid size.

    >>> last_of_each_grid(named_layers(feature_stack(16)))
    ['relu1_2', 'relu2_2', 'relu3_3', 'relu4_3', 'relu5_3']
    """
    names, kinds = zip(*layers.named_children(), strict=True)
    ends = [name for name, after in zip(names, kinds[1:], strict=False)
            if isinstance(after, nn.MaxPool2d)]
    return ends if isinstance(kinds[-1], nn.MaxPool2d) else [*ends, names[-1]]


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
