"""Convolutions and transposed convolutions, in one and two dimensions."""

from __future__ import annotations

from typing import Any

from .. import functional as F
from ..errors import explain
from ..ops.dims import integers
from ..tensor import Tensor
from .linear import reset_uniform
from .module import Module
from .parameter import empty

PADDING_MODES = ("zeros", "reflect", "replicate", "circular")


def each_dim(value: Any, dims: int, name: str, spread: bool = False) -> tuple[int, ...]:
    """Repeat an int for every dimension; leave a tuple of the right length alone.

    spread: a list of one serves for all dimensions, too. Whatever has rows is a list, as in torch.
    """
    listed = hasattr(value, "__iter__")
    sizes = integers(name, "the value", tuple(value) if listed else value)
    sizes = sizes if listed and not (spread and len(sizes) == 1) else sizes * dims
    if len(sizes) != dims:
        raise ValueError(f"{name}: expected an int or {dims} of them, got {value!r}")
    return sizes


class _Conv(Module):
    """What all convolutions share: the arguments, the parameters, the padding modes."""

    dims: int
    transposed = False
    output_padding: tuple[int, ...]

    def _set(
        self, in_channels: int, out_channels: int, kernel_size: Any, stride: Any, padding: Any,
        dilation: Any, groups: int, bias: bool, padding_mode: str, dtype: Any,
    ) -> None:
        """Store the arguments and make the parameters."""
        self.in_channels, self.out_channels, self.groups = in_channels, out_channels, groups
        self.kernel_size = each_dim(kernel_size, self.dims, "kernel_size")
        self.stride = each_dim(stride, self.dims, "stride", spread=True)
        self.dilation = each_dim(dilation, self.dims, "dilation", spread=True)
        self.output_padding = (0,) * self.dims
        text = isinstance(padding, str)
        one = padding_mode == "zeros"  # the other modes pad by themselves, before
        self.padding = padding if text else each_dim(padding, self.dims, "padding", one)
        self.padding_mode = padding_mode
        self._check()
        ends = (in_channels, out_channels) if self.transposed else (out_channels, in_channels)
        self.weight = empty(ends[0], ends[1] // groups, *self.kernel_size, dtype=dtype)
        self.register_parameter("bias", empty(out_channels, dtype=dtype) if bias else None)
        self.reset_parameters()

    def _check(self) -> None:
        problem = None
        if self.groups <= 0:
            problem = "groups must be positive"
        elif self.in_channels % self.groups or self.out_channels % self.groups:
            problem = "in_channels and out_channels must be divisible by groups"
        elif self.padding_mode not in PADDING_MODES:
            problem = f"padding_mode must be one of {', '.join(PADDING_MODES)}"
        elif isinstance(self.padding, str) and self.padding not in ("same", "valid"):
            problem = "padding must be a number, numbers, 'same' or 'valid'"
        elif self.padding == "same" and any(s != 1 for s in self.stride):
            problem = "padding='same' is not supported with a stride other than 1"
        if problem:
            names = ("in_channels", "out_channels", "groups", "stride", "padding", "padding_mode")
            given = {name: getattr(self, name) for name in names}
            raise ValueError(explain(type(self).__name__, problem, given))

    def reset_parameters(self) -> None:
        """Draw the first values again: uniform in +-1/sqrt(fan_in), torch's default."""
        kernel = 1
        for size in self.weight.shape[1:]:
            kernel *= size
        reset_uniform(self, kernel)

    def extra_repr(self) -> str:
        text = (f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}, "
                f"stride={self.stride}")
        zero, one = (0,) * self.dims, (1,) * self.dims
        usual = {"padding": zero, "dilation": one, "output_padding": zero, "groups": 1}
        for name, default in usual.items():
            if getattr(self, name, default) != default:
                value = getattr(self, name)
                text += f", {name}={value}"
        text += "" if self.bias is not None else ", bias=False"
        return text if self.padding_mode == "zeros" else f"{text}, padding_mode={self.padding_mode}"


class _Forward(_Conv):
    """A convolution, or cross-correlation to be exact: the kernel is not turned round."""

    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: Any, stride: Any = 1,
        padding: Any = 0, dilation: Any = 1, groups: int = 1, bias: bool = True,
        padding_mode: str = "zeros", *, dtype: Any = None,
    ):
        super().__init__()
        self._set(in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias,
                  padding_mode, dtype)

    def _border(self) -> list[int]:
        """Return the padding as `functional.pad` wants it: (left, right) from the last dim on."""
        pairs = []
        for i in reversed(range(self.dims)):
            if self.padding == "valid":
                pairs += [0, 0]
            elif self.padding == "same":
                total = self.dilation[i] * (self.kernel_size[i] - 1)
                pairs += [total // 2, total - total // 2]
            else:
                pairs += [self.padding[i]] * 2
        return pairs

    def forward(self, input: Tensor) -> Tensor:
        """input (N, in_channels, *) or without N -> (N, out_channels, *)."""
        convolve = (F.conv1d, F.conv2d)[self.dims - 1]
        padding = self.padding
        if self.padding_mode != "zeros":
            input = F.pad(input, self._border(), mode=self.padding_mode)
            padding = 0
        return convolve(input, self.weight, self.bias, self.stride, padding, self.dilation,
                        self.groups)


class Conv1d(_Forward):
    """Slide learnt kernels along a sequence.

    input (N, in_channels, L) -> (N, out_channels, L_out). weight (out_channels,
    in_channels / groups, kernel_size). Arguments are torch's; padding may be "same" or "valid".
    """

    dims = 1


class Conv2d(_Forward):
    """Slide learnt kernels over an image.

    input (N, in_channels, H, W) -> (N, out_channels, H_out, W_out) with
    H_out = (H + 2 padding - dilation (KH - 1) - 1) // stride + 1. weight (out_channels,
    in_channels / groups, KH, KW). Arguments are torch's; padding may be "same" or "valid".

    >>> from minilearn import nn
    >>> nn.Conv2d(1, 8, 3, stride=2, padding=1)
    Conv2d(1, 8, kernel_size=(3, 3), stride=(2, 2), padding=(1, 1))
    """

    dims = 2


class _Transposed(_Conv):
    """A transposed convolution: what carries a convolution's gradient back, as a layer."""

    transposed = True

    def __init__(
        self, in_channels: int, out_channels: int, kernel_size: Any, stride: Any = 1,
        padding: Any = 0, output_padding: Any = 0, groups: int = 1, bias: bool = True,
        dilation: Any = 1, padding_mode: str = "zeros", *, dtype: Any = None,
    ):
        super().__init__()
        name = type(self).__name__
        if padding_mode != "zeros":
            raise ValueError(f"{name}: only padding_mode='zeros', got {padding_mode!r}")
        if isinstance(padding, str):
            raise TypeError(f"{name}: padding must be a number or numbers, got {padding!r}")
        self._set(in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias,
                  padding_mode, dtype)
        self.output_padding = each_dim(output_padding, self.dims, "output_padding", spread=True)

    def _output_padding(self, input: Tensor, output_size: Any) -> tuple[int, ...]:
        """Work out what to add on one side for the output to have the size that is asked for."""
        if output_size is None:
            return self.output_padding
        if len(output_size) not in (self.dims, input.ndim):
            raise ValueError(explain(
                type(self).__name__, f"output_size needs {self.dims} or {input.ndim} numbers",
                {"input": input, "output_size": output_size}))
        size = tuple(output_size)[-self.dims :]
        extra, places = [], zip(input.shape[-self.dims :], size, self.stride, self.padding,
                                self.dilation, self.kernel_size, strict=True)
        for n, wanted, stride, padding, dilation, kernel in places:
            smallest = (n - 1) * stride - 2 * padding + dilation * (kernel - 1) + 1
            if not smallest <= wanted < smallest + stride:
                raise ValueError(explain(
                    type(self).__name__, f"output_size must be from {smallest} to "
                    f"{smallest + stride - 1} here", {"input": input, "output_size": output_size}))
            extra.append(wanted - smallest)
        return tuple(extra)

    def forward(self, input: Tensor, output_size: Any = None) -> Tensor:
        """input (N, in_channels, *) or without N -> (N, out_channels, *)."""
        spread = (F.conv_transpose1d, F.conv_transpose2d)[self.dims - 1]
        extra = self._output_padding(input, output_size)
        return spread(input, self.weight, self.bias, self.stride, self.padding, extra, self.groups,
                      self.dilation)


class ConvTranspose1d(_Transposed):
    """Spread every element of a sequence over learnt kernels.

    input (N, in_channels, L) -> (N, out_channels, L_out). weight (in_channels,
    out_channels / groups, kernel_size). Arguments are torch's.
    """

    dims = 1


class ConvTranspose2d(_Transposed):
    """Spread every pixel over learnt kernels.

    input (N, in_channels, H, W) -> (N, out_channels, H_out, W_out) with
    H_out = (H - 1) stride - 2 padding + dilation (KH - 1) + output_padding + 1. weight
    (in_channels, out_channels / groups, KH, KW). Arguments are torch's.
    """

    dims = 2
