"""Losses that look at pictures as a trained net does (Johnson et al. 2016, Gatys et al. 2015).

The mean error of pixels is small while eyes and fur are missing. What a classifier has learnt to
look for differs greatly between such pictures; so compare that.

    layers = named_layers(vgg.features)            # of a net that was trained to classify
    loss = FeatureLoss(layers)
    loss(output, target).backward()
    loss.parts                                     # {"pixel": ..., "feat_0": ..., "gram_0": ...}
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from .. import functional as F
from .. import nn
from ..op import no_grad
from ..tensor import Tensor
from .vgg_features import activations, last_of_each_grid

Measure = Callable[[Tensor, Tensor], Tensor]


class Perceptual(nn.Module):
    """A frozen net and the layers of it that are looked at; `parts` of the last loss by name."""

    def __init__(
        self, layers: nn.Sequential, names: Sequence[str] | None, count: int,
        before: Callable[[Tensor], Tensor] | None,
    ):
        super().__init__()
        found = last_of_each_grid(layers)
        self.names = found[-count:] if names is None else list(names)
        if len(self.names) != count:
            raise ValueError(f"{type(self).__name__}: {count} weights for the layers "
                             f"{', '.join(self.names)}; give one weight a layer")
        layers.requires_grad_(False)
        self.layers, self.before = layers, before
        self.parts: dict[str, Tensor] = {}
        self.eval()

    def train(self, mode: bool = True) -> nn.Module:
        """Stay in evaluation mode, whatever is asked: the net's statistics are not to move."""
        return super().train(False)

    def features(self, images: Tensor) -> list[Tensor]:
        """Return what the chosen layers make of images (N, 3, H, W), in the order of the net."""
        images = images if self.before is None else self.before(images)
        return list(activations(self.layers, images, self.names).values())

    def constant_features(self, images: Tensor) -> list[Tensor]:
        """Return the same of images that are not to be changed."""
        with no_grad():
            return self.features(images)

    def total(self, parts: dict[str, Tensor]) -> Tensor:
        """Keep the parts for whoever wants to show them, and return their sum."""
        self.parts = {name: part.detach() for name, part in parts.items()}
        first, *others = parts.values()
        return sum(others, start=first)


class FeatureLoss(Perceptual):
    """Return L1(pixels) + sum of w_i L1(features_i) + sum of gram w_i^2 L1(gram matrices_i).

    layers: a net whose activations to compare, such as `named_layers(vgg16_bn().features)`; it is
    frozen and stays in evaluation mode. names: of its layers, by default the last before each of
    the last grid sizes. weights: w, one a layer. gram: 0 leaves the gram matrices out. base: how
    to compare. before: turns images into what the net expects, where that differs.

    Output and target (N, 3, H, W). `parts` holds each addend of the last call: pixel, feat_0, ...,
    gram_0, ... Source: fast.ai's lesson 7, whose weights are the defaults. Raises ValueError.
    """

    def __init__(
        self, layers: nn.Sequential, names: Sequence[str] | None = None,
        weights: Sequence[float] = (5, 15, 2), *, gram: float = 5e3, base: Measure = F.l1_loss,
        before: Callable[[Tensor], Tensor] | None = None,
    ):
        super().__init__(layers, names, len(weights), before)
        self.weights, self.gram, self.base = tuple(weights), gram, base

    @property
    def part_names(self) -> list[str]:
        """The names of the parts, known before the first call."""
        kinds = ("feat", "gram") if self.gram else ("feat",)
        return ["pixel", *(f"{kind}_{i}" for kind in kinds for i in range(len(self.weights)))]

    def forward(self, output: Tensor, target: Tensor) -> Tensor:
        """output, target (N, 3, H, W) -> one number."""
        pairs = list(zip(self.features(output), self.constant_features(target), self.weights,
                         strict=True))
        parts = [self.base(output, target), *(self.base(a, b) * w for a, b, w in pairs)]
        if self.gram:
            parts += [self.base(F.gram_matrix(a), F.gram_matrix(b)) * (w**2 * self.gram)
                      for a, b, w in pairs]
        return self.total(dict(zip(self.part_names, parts, strict=True)))


class FeatureDistance(Perceptual):
    """Return how far apart two pictures are to a net: L1 of each layer's features, averaged.

    A metric, smaller is better. The arguments are FeatureLoss's; names: the last three by default.
    """

    __name__ = "feature_distance"

    def __init__(
        self, layers: nn.Sequential, names: Sequence[str] | None = None, *,
        before: Callable[[Tensor], Tensor] | None = None,
    ):
        count = min(len(last_of_each_grid(layers)), 3) if names is None else len(names)
        super().__init__(layers, names, count, before)

    def forward(self, output: Tensor, target: Tensor) -> Tensor:
        """output, target (N, 3, H, W) -> one number."""
        pairs = zip(self.features(output), self.constant_features(target), strict=True)
        distances = [F.l1_loss(a, b) for a, b in pairs]
        return sum(distances, start=distances[0] * 0) / len(distances)


def before_net(normalize: Any) -> Callable[[Tensor], Tensor]:
    """Return what turns images that `normalize` made back into RGB in [0, 1], for `before`.

    normalize: has `mean` and `std`, one number a channel, as `data.Normalize` does.
    """
    return lambda images: F.denormalize(images, normalize.mean, normalize.std)
