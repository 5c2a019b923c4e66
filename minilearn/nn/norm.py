"""Normalisation layers: over a batch, a group of channels, one image, or the last dimensions."""

from __future__ import annotations

from typing import Any

from .. import functional as F
from .. import xp
from ..errors import ShapeError, explain
from ..functional.joined import joined_batch_norm
from ..tensor import Tensor
from . import init
from .module import Module
from .parameter import empty


class _ChannelNorm(Module):
    """What batch and instance norm share: a weight and a bias, and running statistics."""

    ranks: tuple[int, ...]  # how many dimensions the input may have
    _may_be_missing = ("num_batches_tracked",)  # torch wrote none before version 0.4.1

    def __init__(
        self, num_features: int, eps: float = 1e-5, momentum: float | None = 0.1,
        affine: bool = True, track_running_stats: bool = True, *, bias: bool = True,
        dtype: Any = None,
    ):
        super().__init__()
        self.num_features, self.eps, self.momentum = num_features, eps, momentum
        self.affine, self.track_running_stats = affine, track_running_stats
        for name, wanted in (("weight", affine), ("bias", affine and bias)):
            self.register_parameter(name, empty(num_features, dtype=dtype) if wanted else None)
        for name, shape in (("running_mean", (num_features,)), ("running_var", (num_features,)),
                            ("num_batches_tracked", ())):
            kind = (dtype or "float32") if shape else "int64"
            buffer = Tensor(xp.zeros(shape, kind)) if track_running_stats else None
            self.register_buffer(name, buffer)
        self.reset_parameters()

    def reset_running_stats(self) -> None:
        """Forget all batches seen: mean 0, variance 1."""
        if self.track_running_stats:
            init.zeros_(self.running_mean)
            init.ones_(self.running_var)
            init.constant_(self.num_batches_tracked, 0)

    def reset_parameters(self) -> None:
        """Set weight to 1, bias to 0, and forget all batches seen."""
        self.reset_running_stats()
        _reset(self)

    def _check(self, input: Tensor) -> None:
        if input.ndim not in self.ranks:
            wanted = " or ".join(f"{rank}D" for rank in self.ranks)
            raise ShapeError(explain(type(self).__name__, f"expected {wanted} input",
                                     {"input": input}))

    def extra_repr(self) -> str:
        return (f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, "
                f"affine={self.affine}, bias={self.bias is not None}, "
                f"track_running_stats={self.track_running_stats}")


class _BatchNorm(_ChannelNorm):
    together = False  # in training: over the joined batch of all processes that train together

    def _weight_of_batch(self) -> float:
        """Count the batch, and say how much its statistics weigh in the running ones."""
        if not (self.training and self.track_running_stats):
            return 0.0 if self.momentum is None else self.momentum
        self.num_batches_tracked.data = (self.num_batches_tracked + 1).data
        if self.momentum is None:  # the plain average over all batches so far
            return 1 / self.num_batches_tracked.item()
        return self.momentum

    def forward(self, input: Tensor) -> Tensor:
        """input (N, num_features, *) -> the same shape."""
        self._check(input)
        momentum = self._weight_of_batch()
        uses_batch = self.training or self.running_mean is None
        keeps = not self.training or self.track_running_stats
        normalised = joined_batch_norm if self.together and uses_batch else F.batch_norm
        return normalised(
            input, self.running_mean if keeps else None, self.running_var if keeps else None,
            self.weight, self.bias, uses_batch, momentum, self.eps)


class BatchNorm1d(_BatchNorm):
    """Normalise each channel over the batch (Ioffe & Szegedy 2015): (N, C) or (N, C, L).

    In training by the batch's own mean and variance, which also move the running ones by
    `momentum` (None: their plain average); in evaluation by the running ones.
    """

    ranks = (2, 3)


class BatchNorm2d(_BatchNorm):
    """Normalise each channel over the batch and its pixels (Ioffe & Szegedy 2015): (N, C, H, W).

    In training by the batch's own mean and variance, which also move the running ones by
    `momentum` (None: their plain average); in evaluation by the running ones.
    """

    ranks = (4,)


class _InstanceNorm(_ChannelNorm):
    def __init__(
        self, num_features: int, eps: float = 1e-5, momentum: float = 0.1, affine: bool = False,
        track_running_stats: bool = False, *, bias: bool = True, dtype: Any = None,
    ):
        super().__init__(num_features, eps, momentum, affine, track_running_stats, bias=bias,
                         dtype=dtype)

    def forward(self, input: Tensor) -> Tensor:
        """input (N, num_features, *) or without N -> the same shape."""
        self._check(input)
        if input.ndim == min(self.ranks):  # one image without its batch dimension
            return self._normalised(input.unsqueeze(0)).squeeze(0)
        return self._normalised(input)

    def _normalised(self, input: Tensor) -> Tensor:
        if input.shape[1] != self.num_features and self.affine:
            raise ShapeError(explain(type(self).__name__, "expected num_features channels",
                                     {"input": input, "num_features": self.num_features}))
        uses_input = self.training or not self.track_running_stats
        momentum = 0.0 if self.momentum is None else self.momentum
        return F.instance_norm(input, self.running_mean, self.running_var, self.weight, self.bias,
                               uses_input, momentum, self.eps)


class InstanceNorm1d(_InstanceNorm):
    """Normalise each channel of each sequence (Ulyanov et al. 2016): (N, C, L) or (C, L)."""

    ranks = (2, 3)


class InstanceNorm2d(_InstanceNorm):
    """Normalise each channel of each image (Ulyanov et al. 2016): (N, C, H, W) or (C, H, W)."""

    ranks = (3, 4)


class LayerNorm(Module):
    """Normalise each example over its last dimensions, `normalized_shape` (Ba et al. 2016)."""

    def __init__(
        self, normalized_shape: int | tuple[int, ...], eps: float = 1e-5,
        elementwise_affine: bool = True, bias: bool = True, *, dtype: Any = None,
    ):
        super().__init__()
        shape = normalized_shape
        self.normalized_shape = (shape,) if isinstance(shape, int) else tuple(shape)
        self.eps, self.elementwise_affine = eps, elementwise_affine
        present = {"weight": elementwise_affine, "bias": elementwise_affine and bias}
        for name, wanted in present.items():
            parameter = empty(*self.normalized_shape, dtype=dtype) if wanted else None
            self.register_parameter(name, parameter)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Set weight to 1 and bias to 0."""
        _reset(self)

    def forward(self, input: Tensor) -> Tensor:
        """input (*, *normalized_shape) -> the same shape."""
        return F.layer_norm(input, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return (f"{self.normalized_shape}, eps={self.eps}, "
                f"elementwise_affine={self.elementwise_affine}, bias={self.bias is not None}")


class GroupNorm(Module):
    """Normalise each example over groups of its channels (Wu & He 2018): (N, C, *)."""

    def __init__(
        self, num_groups: int, num_channels: int, eps: float = 1e-5, affine: bool = True, *,
        bias: bool = True, dtype: Any = None,
    ):
        super().__init__()
        if num_groups <= 0 or num_channels % num_groups:
            raise ValueError(f"GroupNorm: num_channels={num_channels} must be divisible by "
                             f"num_groups={num_groups}")
        self.num_groups, self.num_channels = num_groups, num_channels
        self.eps, self.affine = eps, affine
        for name, wanted in (("weight", affine), ("bias", affine and bias)):
            self.register_parameter(name, empty(num_channels, dtype=dtype) if wanted else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Set weight to 1 and bias to 0."""
        _reset(self)

    def forward(self, input: Tensor) -> Tensor:
        """input (N, num_channels, *) -> the same shape."""
        return F.group_norm(input, self.num_groups, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return (f"{self.num_groups}, {self.num_channels}, eps={self.eps}, affine={self.affine}, "
                f"bias={self.bias is not None}")


def _reset(module: Module) -> None:
    if module.weight is not None:
        init.ones_(module.weight)
    if module.bias is not None:
        init.zeros_(module.bias)
