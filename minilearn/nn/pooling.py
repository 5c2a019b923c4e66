"""Pooling layers: the largest element or the mean of each window."""

from __future__ import annotations

from typing import Any

from .. import functional as F
from ..tensor import Tensor
from .module import Module


class _MaxPool(Module):
    def __init__(
        self, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1,
        return_indices: bool = False, ceil_mode: bool = False,
    ):
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = kernel_size if stride is None else stride
        self.padding, self.dilation = padding, dilation
        self.return_indices, self.ceil_mode = return_indices, ceil_mode

    def _options(self) -> dict[str, Any]:
        names = ("stride", "padding", "dilation", "ceil_mode", "return_indices")
        return {name: getattr(self, name) for name in names}

    def extra_repr(self) -> str:
        names = ("kernel_size", "stride", "padding", "dilation", "ceil_mode")
        return ", ".join(f"{name}={getattr(self, name)}" for name in names)


class MaxPool1d(_MaxPool):
    """Return the largest element of each window of (N, C, L) or (C, L); arguments are torch's."""

    def forward(self, input: Tensor) -> Any:
        """input (N, C, L) -> (N, C, L_out); with `return_indices` also where the largest were."""
        return F.max_pool1d(input, self.kernel_size, **self._options())


class MaxPool2d(_MaxPool):
    """Return the largest element of each window of (N, C, H, W) or (C, H, W).

    >>> from minilearn import nn
    >>> nn.MaxPool2d(2)
    MaxPool2d(kernel_size=2, stride=2, padding=0, dilation=1, ceil_mode=False)
    """

    def forward(self, input: Tensor) -> Any:
        """input (N, C, H, W) -> (N, C, H_out, W_out); with `return_indices` also the places."""
        return F.max_pool2d(input, self.kernel_size, **self._options())


class _AvgPool(Module):
    def extra_repr(self) -> str:
        names = ("kernel_size", "stride", "padding")
        return ", ".join(f"{name}={getattr(self, name)}" for name in names)


class AvgPool1d(_AvgPool):
    """Return the mean of each window of (N, C, L) or (C, L); arguments are torch's."""

    def __init__(
        self, kernel_size: Any, stride: Any = None, padding: Any = 0, ceil_mode: bool = False,
        count_include_pad: bool = True,
    ):
        super().__init__()
        stride = kernel_size if stride is None else stride
        # torch keeps tuples here, and prints them.
        self.kernel_size, self.stride, self.padding = [
            tuple(v) if hasattr(v, "__iter__") else (v,) for v in (kernel_size, stride, padding)]
        self.ceil_mode, self.count_include_pad = ceil_mode, count_include_pad

    def forward(self, input: Tensor) -> Tensor:
        """input (N, C, L) -> (N, C, L_out)."""
        return F.avg_pool1d(input, self.kernel_size, self.stride, self.padding, self.ceil_mode,
                            self.count_include_pad)


class AvgPool2d(_AvgPool):
    """Return the mean of each window of (N, C, H, W) or (C, H, W); arguments are torch's."""

    def __init__(
        self, kernel_size: Any, stride: Any = None, padding: Any = 0, ceil_mode: bool = False,
        count_include_pad: bool = True, divisor_override: int | None = None,
    ):
        super().__init__()
        self.kernel_size, self.padding = kernel_size, padding
        self.stride = kernel_size if stride is None else stride
        self.ceil_mode, self.count_include_pad = ceil_mode, count_include_pad
        self.divisor_override = divisor_override

    def forward(self, input: Tensor) -> Tensor:
        """input (N, C, H, W) -> (N, C, H_out, W_out)."""
        return F.avg_pool2d(input, self.kernel_size, self.stride, self.padding, self.ceil_mode,
                            self.count_include_pad, self.divisor_override)


class _AdaptiveAvgPool(Module):
    def __init__(self, output_size: Any):
        super().__init__()
        self.output_size = output_size

    def extra_repr(self) -> str:
        return f"output_size={self.output_size}"


class AdaptiveAvgPool1d(_AdaptiveAvgPool):
    """Return the means of `output_size` windows that cover a sequence evenly."""

    def forward(self, input: Tensor) -> Tensor:
        """input (N, C, L) -> (N, C, output_size)."""
        return F.adaptive_avg_pool1d(input, self.output_size)


class AdaptiveAvgPool2d(_AdaptiveAvgPool):
    """Return the means of windows that cover an image evenly; None keeps a dimension's size."""

    def forward(self, input: Tensor) -> Tensor:
        """input (N, C, H, W) -> (N, C, *output_size)."""
        return F.adaptive_avg_pool2d(input, self.output_size)


class _AdaptiveMaxPool(_AdaptiveAvgPool):
    def __init__(self, output_size: Any, return_indices: bool = False):
        super().__init__(output_size)
        self.return_indices = return_indices


class AdaptiveMaxPool1d(_AdaptiveMaxPool):
    """Return the largest elements of `output_size` windows that cover a sequence evenly."""

    def forward(self, input: Tensor) -> Any:
        """input (N, C, L) -> (N, C, output_size), and the places if `return_indices`."""
        return F.adaptive_max_pool1d(input, self.output_size, self.return_indices)


class AdaptiveMaxPool2d(_AdaptiveMaxPool):
    """Return the largest elements of windows that cover an image evenly."""

    def forward(self, input: Tensor) -> Any:
        """input (N, C, H, W) -> (N, C, *output_size), and the places if `return_indices`."""
        return F.adaptive_max_pool2d(input, self.output_size, self.return_indices)
