"""Convolution and its transpose in one and two dimensions, and the windows they see.

All of the arithmetic is in `ops/conv.py`, for images. Here arguments are checked and completed; a
sequence is an image of height 1, a single image is a batch of one.
"""

from __future__ import annotations

import math
from typing import Any

from ..errors import ShapeError, explain
from ..ops import conv as ops
from ..ops.pieces import cut, paste
from ..ops.pool import Window, window_stack, window_unstack
from ..tensor import Tensor
from .arguments import need_floating, need_tensors
from .spatial import LAYOUTS, as_batch, need_image, sizes


def conv1d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Tensor:
    """Slide `weight` along the zero-padded sequences of `input`, and sum the products.

    input (N, C, L) or (C, L), weight (O, C / groups, K), bias (O,) -> (N, O, OL) or (O, OL). The
    other arguments, and what is raised, are those of `conv2d`.

    >>> conv1d(Tensor([[1.0, 2.0, 4.0, 8.0]]), Tensor([[[-1.0, 1.0]]]))
    tensor([[1., 2., 4.]])
    """
    return _conv("conv1d", 1, input, weight, bias, stride, padding, dilation, groups)


def conv2d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Tensor:
    """Slide `weight` over the zero-padded images of `input`, and sum the products at every place.

    input (N, C, H, W) or (C, H, W), weight (O, C / groups, KH, KW), bias (O,) -> (N, O, OH, OW) or
    (O, OH, OW) with OH = (H + 2 padding - dilation (KH - 1) - 1) // stride + 1. stride, padding and
    dilation are an integer or one for each dimension; padding may be "valid" (none) or "same" (the
    output is as large as the input; only for stride 1). Each of the `groups` sees its share of the
    channels. Raises ShapeError, TypeError or ValueError where these do not fit together.
    """
    return _conv("conv2d", 2, input, weight, bias, stride, padding, dilation, groups)


def conv_transpose1d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    groups: int = 1,
    dilation: Any = 1,
) -> Tensor:
    """Spread every element of the sequences of `input` over a window of the output.

    input (N, C, L) or (C, L), weight (C, O / groups, K), bias (O,) -> (N, O, OL) or (O, OL). The
    other arguments, and what is raised, are those of `conv_transpose2d`.

    >>> conv_transpose1d(Tensor([[1.0, 2.0]]), Tensor([[[1.0, 10.0]]]), stride=2)
    tensor([[ 1., 10.,  2., 20.]])
    """
    return _conv_transpose("conv_transpose1d", 1, input, weight, bias, stride, padding,
                           output_padding, groups, dilation)


def conv_transpose2d(
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    groups: int = 1,
    dilation: Any = 1,
) -> Tensor:
    """Spread every element of the images of `input` over a window of the output.

    It goes the way of `conv2d` with the same arguments backwards. input (N, C, H, W) or (C, H, W),
    weight (C, O / groups, KH, KW), bias (O,) -> (N, O, OH, OW) or (O, OH, OW) with
    OH = (H - 1) stride - 2 padding + dilation (KH - 1) + output_padding + 1. A `conv2d` with stride
    gives one size for several sizes of input: output_padding, below stride or dilation, says which.
    Raises ShapeError, TypeError or ValueError where these do not fit together.
    """
    return _conv_transpose("conv_transpose2d", 2, input, weight, bias, stride, padding,
                           output_padding, groups, dilation)


# ---------------------------------------------------------------- the common part


def _conv(function, n, input, weight, bias, stride, padding, dilation, groups):
    given = dict(input=input, weight=weight, bias=bias, groups=groups)
    groups = _check_dimensions(function, n, given)
    _check_channels(function, n, given, inputs=weight.shape[1] * groups, outputs=weight.shape[0])
    stride = sizes(function, "stride", stride, n, least=1)
    dilation = sizes(function, "dilation", dilation, n, least=1)
    x = as_batch(input, n + 2)
    if isinstance(padding, str):
        x, padding = _padding_by_name(function, x, weight, stride, padding, dilation)
    padding = sizes(function, "padding", padding, n)
    # Checked before a sequence becomes an image, so that a message shows the sizes that were given.
    ops.output_size(function, x.shape[2:], weight.shape[2:], stride, padding, dilation)
    y = ops.conv2d(_as_image(x), _as_image(weight), stride=_both(stride, 1), groups=groups,
                   padding=_both(padding, 0), dilation=_both(dilation, 1))
    return _finished(y, bias, input, n)


def _conv_transpose(function, n, input, weight, bias, stride, padding, output_padding, groups,
                    dilation):
    given = dict(input=input, weight=weight, bias=bias, groups=groups)
    groups = _check_dimensions(function, n, given)
    _check_channels(function, n, given, inputs=weight.shape[0], outputs=weight.shape[1] * groups)
    stride = sizes(function, "stride", stride, n, least=1)
    padding = sizes(function, "padding", padding, n)
    extra = sizes(function, "output_padding", output_padding, n)
    dilation = sizes(function, "dilation", dilation, n, least=1)
    if any(e >= max(s, d) for e, s, d in zip(extra, stride, dilation, strict=True)):
        raise ValueError(explain(function, "output_padding must be below stride or dilation", dict(
            output_padding=extra, stride=stride, dilation=dilation)))
    reach = [(size - 1) * s + (k - 1) * d + 1 for size, k, s, d in
             zip(input.shape[-n:], weight.shape[2:], stride, dilation, strict=True)]
    if min(r - 2 * p + e for r, p, e in zip(reach, padding, extra, strict=True)) < 1:
        raise ShapeError(explain(function, "nothing is left of the output", given | dict(
            stride=stride, padding=padding, dilation=dilation), "use less padding"))
    y = _spread(_as_image(as_batch(input, n + 2)), _as_image(weight), groups, _both(reach, 1),
                *(_both(v, 0) for v in (padding, extra)), *(_both(v, 1) for v in (stride, dilation)))
    return _finished(y, bias, input, n)


def _spread(x, weight, groups, reach, padding, extra, stride, dilation):
    """Transpose the convolution: windows spread over `reach`; `padding` is cut off, `extra` added."""
    size = tuple(r - 2 * p + e for r, p, e in zip(reach, padding, extra, strict=True))
    options = dict(stride=stride, dilation=dilation, groups=groups)
    if all(e < s for e, s in zip(extra, stride, strict=True)):
        return ops.conv2d_input(x, weight, size=size, padding=padding, **options)
    # A convolution over `size` would have more places than x has elements: cut the size out here.
    whole = _enlarged(ops.conv2d_input(x, weight, size=reach, **options), extra)
    inner = (slice(p, p + s) for p, s in zip(padding, size, strict=True))
    return cut(whole, at=(*map(slice, whole.shape[:2]), *inner))


def _padding_by_name(function, x, weight, stride, padding, dilation):
    """Return the input and its padding on both sides for "valid" and "same"."""
    if padding not in ("valid", "same"):
        raise ValueError(f"{function}: padding must be integers, 'valid' or 'same'; got {padding!r}")
    if padding == "valid":
        return x, 0
    if max(stride) > 1:
        raise ValueError(explain(function, "padding 'same' is only for stride 1", {"stride": stride},
                                 "give the padding as integers"))
    both = [d * (k - 1) for k, d in zip(weight.shape[2:], dilation, strict=True)]
    # An odd number of zeros: the one more goes to the end, as in torch.
    return _enlarged(x, [total % 2 for total in both]), tuple(total // 2 for total in both)


def _enlarged(x, after):
    """Put zeros after the last dimensions."""
    if not any(after):
        return x
    n = x.ndim - len(after)
    shape = (*x.shape[:n], *(size + a for size, a in zip(x.shape[n:], after, strict=True)))
    return paste(x, at=tuple(map(slice, x.shape)), shape=shape)


def _as_image(x):
    """Give a batch of sequences the height 1."""
    return x if x.ndim == 4 else x.reshape((*x.shape[:2], 1, x.shape[2]))


def _both(values, height):
    """Complete what is said of sequences with what it is for their height."""
    return tuple(values) if len(values) == 2 else (height, *values)


def _finished(y, bias, input, n):
    """Add the bias, and leave out the dimensions that were put in."""
    if bias is not None:
        y = y + bias.reshape((-1, 1, 1))
    lead = y.shape[: input.ndim - n] if input.ndim == n + 2 else y.shape[1:2]
    shape = (*lead, *y.shape[-n:])
    return y if y.shape == shape else y.reshape(shape)


def _check_dimensions(function, n, given):
    """Raise unless input and weight are tensors with the right number of dimensions."""
    input, weight, bias = given["input"], given["weight"], given["bias"]
    need_tensors(function, **{k: given[k] for k in ("input", "weight")})
    (groups,) = sizes(function, "groups", given["groups"], 1, least=1)
    if input.ndim not in (n + 1, n + 2) or weight.ndim != n + 2:
        raise ShapeError(explain(function, f"the input must be {LAYOUTS[n]}, and the weight have "
                                 f"{n + 2} dimensions", given))
    if 0 in input.shape[-n:] or 0 in weight.shape[2:]:
        raise ShapeError(explain(function, "images and kernels must not be empty", given))
    kinds = {str(x.dtype) for x in (input, weight, bias) if isinstance(x, Tensor)}
    if len(kinds) > 1 or "bool" in kinds:
        raise TypeError(explain(function, "all must have one dtype, and not bool", given,
                                "convert with .to(dtype)"))
    return groups


def _check_channels(function, n, given, inputs, outputs):
    """Raise unless channels, groups and bias fit together."""
    input, weight, bias, groups = given.values()
    channels = input.shape[-n - 1]
    if channels != inputs:
        raise ShapeError(explain(function, f"the weight is for {inputs} channels, the input has "
                                 f"{channels}", given))
    if weight.shape[0] % groups or weight.shape[0] < groups:
        raise ShapeError(explain(function, "groups must divide the first size of the weight", given))
    if bias is not None:
        need_tensors(function, bias=bias)
        if bias.shape != (outputs,):
            raise ShapeError(explain(function, f"bias must have shape ({outputs},)", given))


# ---------------------------------------------------------------- windows as columns


def unfold(
    input: Tensor, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1
) -> Tensor:
    """Write every window of an image as a column ("im2col").

    input (N, C, H, W) or (C, H, W) -> (N, C * KH * KW, places) or (C * KH * KW, places), place by
    place along the rows of the image. A convolution is this, times the weight as a matrix. Raises
    ShapeError, TypeError or ValueError where the arguments do not fit together.

    >>> unfold(Tensor([[[1.0, 2.0, 3.0]]]), (1, 2))
    tensor([[1., 2.],
            [2., 3.]])
    """
    need_image("unfold", input, 2)
    need_floating("unfold", input=input)
    windows = _windows("unfold", input.shape[-2:], kernel_size, dilation, padding, stride)
    x = as_batch(input, 4)
    for window in windows:
        x = window_stack(x, window=window)  # rows first: then the columns are next to last
    n, c, *places, kh, kw = x.shape
    columns = x.permute((0, 1, 4, 5, 2, 3)).reshape((n, c * kh * kw, math.prod(places)))
    return columns if input.ndim == 4 else columns.reshape(columns.shape[1:])


def fold(
    input: Tensor,
    output_size: Any,
    kernel_size: Any,
    dilation: Any = 1,
    padding: Any = 0,
    stride: Any = 1,
) -> Tensor:
    """Add columns up to an image, each in the window it belongs to ("col2im"): transposed `unfold`.

    input (N, C * KH * KW, places) or (C * KH * KW, places) -> (N, C, *output_size) or
    (C, *output_size). Raises ShapeError, TypeError or ValueError where they do not fit together.
    """
    need_image("fold", input, 1)
    need_floating("fold", input=input)
    size = sizes("fold", "output_size", output_size, 2, least=1, exact=True)
    windows = _windows("fold", size, kernel_size, dilation, padding, stride)
    places, kernel = [w.places for w in windows], [w.kernel for w in windows]
    x = as_batch(input, 3)
    if x.shape[1] % math.prod(kernel) or x.shape[2] != math.prod(places):
        raise ShapeError(explain("fold", f"{places[0]} x {places[1]} windows give as many columns, "
                                 f"with a multiple of {math.prod(kernel)} rows",
                                 dict(input=input, output_size=size, kernel_size=kernel)))
    channels = x.shape[1] // math.prod(kernel)
    x = x.reshape((x.shape[0], channels, *kernel, *places)).permute((0, 1, 4, 5, 2, 3))
    for window in reversed(windows):
        x = window_unstack(x, window=window)
    return x if input.ndim == 3 else x.reshape(x.shape[1:])


def _windows(function, size, kernel_size, dilation, padding, stride):
    """Return the windows along the rows and along the columns, both on the next to last dimension."""
    kernel = sizes(function, "kernel_size", kernel_size, 2, least=1, exact=True)
    stride = sizes(function, "stride", stride, 2, least=1, exact=True)
    padding = sizes(function, "padding", padding, 2, exact=True)
    dilation = sizes(function, "dilation", dilation, 2, least=1, exact=True)
    places = ops.output_size(function, size, kernel, stride, padding, dilation)
    return [Window(-2, *along) for along in
            zip(size, places, kernel, stride, padding, dilation, strict=True)]
