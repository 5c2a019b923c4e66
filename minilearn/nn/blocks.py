"""The lesson's building blocks: a convolution with its norm, blocks that keep their input."""

from __future__ import annotations

from typing import Any

from .. import functional as F
from ..ops import pieces
from ..slots import Slot
from ..tensor import Tensor
from . import init
from .adapters import Flatten
from .containers import Sequential
from .conv import Conv1d, Conv2d, ConvTranspose1d, ConvTranspose2d
from .dropout import Dropout
from .linear import Linear
from .module import Module
from .norm import BatchNorm1d, BatchNorm2d
from .parametrizations import spectral_norm, weight_norm
from .pooling import AdaptiveAvgPool2d, AdaptiveMaxPool2d
from .rectifier import LeakyReLU, ReLU
from .self_attention import SelfAttention

NORMS = ("batch", "batch_zero", "weight", "spectral", None)


@Slot
def conv_layer(
    ni: int, nf: int, ks: int = 3, stride: int = 1, padding: int | None = None,
    bias: bool | None = None, *, is_1d: bool = False, norm: str | None = "batch",
    use_activ: bool = True, leaky: float | None = None, transpose: bool = False,
    self_attention: bool = False, init_weight: Any = init.kaiming_normal_,
) -> Sequential:
    """Return convolution -> ReLU -> batch norm, from `ni` to `nf` channels.

    padding: (ks - 1) // 2 if None, or 0 when transposed. bias: only without batch norm, if None.
    norm: "batch", "batch_zero" (its weight starts at 0), "weight" or "spectral" (of the kernel), or
    None. leaky: the slope of a LeakyReLU instead. self_attention: at the end. init_weight: draws
    the first kernels, Kaiming normal ones unless told otherwise; biases start at 0.

    >>> from minilearn import nn
    >>> [type(layer).__name__ for layer in nn.conv_layer(1, 8)]
    ['Conv2d', 'ReLU', 'BatchNorm2d']
    """
    if norm not in NORMS:
        raise ValueError(f"conv_layer: norm must be one of {NORMS}, got {norm!r}")
    batch = norm in ("batch", "batch_zero")
    kinds = (ConvTranspose1d, ConvTranspose2d) if transpose else (Conv1d, Conv2d)
    if padding is None:
        padding = 0 if transpose else (ks - 1) // 2
    conv = init_default(kinds[not is_1d](ni, nf, ks, stride=stride, padding=padding,
                                         bias=not batch if bias is None else bias), init_weight)
    if norm in ("weight", "spectral"):
        conv = (weight_norm if norm == "weight" else spectral_norm)(conv)
    layers = [conv]
    if use_activ:
        layers.append(ReLU() if leaky is None else LeakyReLU(leaky))
    if batch:
        layers.append((BatchNorm1d if is_1d else BatchNorm2d)(nf))
        if norm == "batch_zero":
            init.zeros_(layers[-1].weight)
    if self_attention:
        layers.append(SelfAttention(nf))
    return Sequential(*layers)


def init_default(module: Module, func: Any = init.kaiming_normal_) -> Module:
    """Set a layer's weight by `func` and its bias to 0, and return the layer."""
    func(module.weight)
    if module.bias is not None:
        init.zeros_(module.bias)
    return module


class SequentialEx(Sequential):
    """Sequential for layers that also want the block's own input, such as `MergeLayer`."""

    def forward(self, input: Tensor) -> Tensor:
        """Pass the input through all modules; those that take the original get it as well."""
        x = input
        for module in self:
            x = module(x, input) if getattr(module, "takes_orig", False) else module(x)
        return x


class MergeLayer(Module):
    """Add the block's input to the result, or, if `dense`, put their channels side by side."""

    takes_orig = True  # SequentialEx hands over the block's input

    def __init__(self, dense: bool = False):
        super().__init__()
        self.dense = dense

    def forward(self, input: Tensor, orig: Tensor) -> Tensor:
        """input, orig (N, C, *) -> the sum (N, C, *), or (N, 2 C, *)."""
        return pieces.cat([input, orig], dim=1) if self.dense else input + orig

    def extra_repr(self) -> str:
        return "dense=True" if self.dense else ""


@Slot
def res_block(
    nf: int, dense: bool = False, norm: str | None = "batch", bottle: bool = False, **options: Any
) -> SequentialEx:
    """Return two `conv_layer`s whose result is added to their input (He et al. 2015).

    There is no ReLU after the sum. dense: join the channels instead, 2 nf come out. bottle: only
    nf / 2 channels in between. norm="batch_zero": the second layer starts at 0 and so the block as
    the identity; by default, as in the course's runs, it does not. options: for `conv_layer`.
    """
    inner = nf // 2 if bottle else nf
    first = "batch" if norm == "batch_zero" else norm
    return SequentialEx(conv_layer(nf, inner, norm=first, **options),
                        conv_layer(inner, nf, norm=norm, **options), MergeLayer(dense))


def bn_drop_lin(
    n_in: int, n_out: int, bn: bool = True, p: float = 0.0, actn: Module | None = None
) -> list[Module]:
    """Return the layers batch norm, dropout (if p), linear and activation (if given)."""
    layers = [BatchNorm1d(n_in) if bn else None, Dropout(p) if p else None,
              Linear(n_in, n_out), actn]
    return [layer for layer in layers if layer is not None]


class BatchNorm1dFlat(BatchNorm1d):
    """Batch norm of the last dimension, all others being the batch: for texts (N, L, C)."""

    def forward(self, input: Tensor) -> Tensor:
        """input (*, num_features) -> the same shape."""
        return super().forward(input.reshape((-1, input.shape[-1]))).reshape(input.shape)


class PoolFlatten(Sequential):
    """The mean of each channel: (N, C, H, W) -> (N, C)."""

    def __init__(self) -> None:
        super().__init__(AdaptiveAvgPool2d(1), Flatten())


class AdaptiveConcatPool2d(Module):
    """Largest elements and means side by side: (N, C, H, W) -> (N, 2 C, *output_size)."""

    def __init__(self, output_size: Any = 1):
        super().__init__()
        self.mp, self.ap = AdaptiveMaxPool2d(output_size), AdaptiveAvgPool2d(output_size)

    def forward(self, input: Tensor) -> Tensor:
        """input (N, C, H, W) -> (N, 2 C, *output_size), the largest first."""
        return pieces.cat([self.mp(input), self.ap(input)], dim=1)


def sigmoid_range(input: Tensor, low: float, high: float) -> Tensor:
    """Return sigmoid(input) stretched to (low, high)."""
    return F.sigmoid(input) * (high - low) + low


class SigmoidRange(Module):
    """`sigmoid_range` as a layer: outputs between `low` and `high`."""

    def __init__(self, low: float, high: float):
        super().__init__()
        self.low, self.high = low, high

    def forward(self, input: Tensor) -> Tensor:
        """input (*) -> (*)."""
        return sigmoid_range(input, self.low, self.high)

    def extra_repr(self) -> str:
        return f"low={self.low}, high={self.high}"
