"""Layers that rearrange, enlarge or frame images: shuffles, resizing, padding, windows."""

from __future__ import annotations

from typing import Any

from .. import functional as F
from ..errors import ShapeError, explain
from ..tensor import Tensor
from .conv import each_dim
from .module import Module


class PixelShuffle(Module):
    """Turn r^2 channels into a grid r times finer (Shi et al. 2016):

    out[n, c, h r + i, w r + j] = input[n, c r^2 + i r + j, h, w].
    """

    def __init__(self, upscale_factor: int):
        super().__init__()
        self.upscale_factor = upscale_factor

    def forward(self, input: Tensor) -> Tensor:
        """input (*, C r^2, H, W) -> (*, C, H r, W r)."""
        return F.pixel_shuffle(input, self.upscale_factor)

    def extra_repr(self) -> str:
        return f"upscale_factor={self.upscale_factor}"


class PixelUnshuffle(Module):
    """Undo `PixelShuffle`: a grid r times coarser, with r^2 times the channels."""

    def __init__(self, downscale_factor: int):
        super().__init__()
        self.downscale_factor = downscale_factor

    def forward(self, input: Tensor) -> Tensor:
        """input (*, C, H r, W r) -> (*, C r^2, H, W)."""
        return F.pixel_unshuffle(input, self.downscale_factor)

    def extra_repr(self) -> str:
        return f"downscale_factor={self.downscale_factor}"


class Upsample(Module):
    """Resize to `size` or by `scale_factor`; mode "nearest", "linear", "bilinear" or "bicubic"."""

    def __init__(
        self, size: Any = None, scale_factor: Any = None, mode: str = "nearest",
        align_corners: bool | None = None, recompute_scale_factor: bool | None = None,
    ):
        super().__init__()
        pair = isinstance(scale_factor, tuple)
        self.scale_factor = (tuple(map(float, scale_factor)) if pair else
                             float(scale_factor) if scale_factor else None)
        self.size, self.mode, self.align_corners = size, mode, align_corners
        self.recompute_scale_factor = recompute_scale_factor

    def forward(self, input: Tensor) -> Tensor:
        """input (N, C, *) -> (N, C, *)."""
        return F.interpolate(input, self.size, self.scale_factor, self.mode, self.align_corners,
                             recompute_scale_factor=self.recompute_scale_factor)

    def extra_repr(self) -> str:
        by = (f"size={self.size}" if self.scale_factor is None
              else f"scale_factor={self.scale_factor}")
        return f"{by}, mode={self.mode!r}"


# ---------------------------------------------------------------- padding


class _Pad(Module):
    dims: int
    mode: str

    def __init__(self, padding: int | tuple[int, ...]):
        super().__init__()
        self.padding = each_dim(padding, 2 * self.dims, "padding")

    def forward(self, input: Tensor) -> Tensor:
        """input (N, C, *) or (C, *) -> the same with a frame of (left, right, top, bottom)."""
        if self.mode != "constant" and input.ndim not in (self.dims + 1, self.dims + 2):
            raise ShapeError(explain(type(self).__name__, f"expected {self.dims + 1}D or "
                                     f"{self.dims + 2}D input", {"input": input}))
        return F.pad(input, self.padding, mode=self.mode)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class ReflectionPad1d(_Pad):
    """Frame a sequence with its mirror image, the edge itself not repeated."""

    dims, mode = 1, "reflect"


class ReflectionPad2d(_Pad):
    """Frame an image with its mirror image, the edge itself not repeated."""

    dims, mode = 2, "reflect"


class ReplicationPad1d(_Pad):
    """Frame a sequence with its edge elements."""

    dims, mode = 1, "replicate"


class ReplicationPad2d(_Pad):
    """Frame an image with its edge pixels."""

    dims, mode = 2, "replicate"


class ZeroPad1d(_Pad):
    """Frame a sequence with zeros."""

    dims, mode = 1, "constant"


class ZeroPad2d(_Pad):
    """Frame an image with zeros."""

    dims, mode = 2, "constant"


# ---------------------------------------------------------------- windows


class Unfold(Module):
    """Write every window of an image as a column: (N, C, H, W) -> (N, C KH KW, places)."""

    def __init__(self, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1):
        super().__init__()
        self.kernel_size, self.dilation = kernel_size, dilation
        self.padding, self.stride = padding, stride

    def forward(self, input: Tensor) -> Tensor:
        """input (N, C, H, W) -> (N, C KH KW, places)."""
        return F.unfold(input, self.kernel_size, self.dilation, self.padding, self.stride)

    def extra_repr(self) -> str:
        names = ("kernel_size", "dilation", "padding", "stride")
        return ", ".join(f"{name}={getattr(self, name)}" for name in names)


class Fold(Module):
    """Add columns up at the places they came from: `Unfold`, transposed."""

    def __init__(
        self, output_size: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0,
        stride: Any = 1,
    ):
        super().__init__()
        self.output_size, self.kernel_size, self.dilation = output_size, kernel_size, dilation
        self.padding, self.stride = padding, stride

    def forward(self, input: Tensor) -> Tensor:
        """input (N, C KH KW, places) -> (N, C, *output_size)."""
        return F.fold(input, self.output_size, self.kernel_size, self.dilation, self.padding,
                      self.stride)

    def extra_repr(self) -> str:
        names = ("output_size", "kernel_size", "dilation", "padding", "stride")
        return ", ".join(f"{name}={getattr(self, name)}" for name in names)
