"""Convolution and its transpose, in one and two dimensions.

All of the arithmetic is in `ops/conv.py`, for images. Here arguments are checked and completed; a
sequence is an image of height 1, a single image is a batch of one.
"""

from __future__ import annotations

from typing import Any

from ..errors import ShapeError, explain
from ..ops import conv as ops
from ..ops.pieces import cut, paste
from ..slots import Slot
from ..tensor import Tensor
from .arguments import need_tensors
from .spatial import LAYOUTS, as_batch, sizes


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


@Slot
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
    given = {"input": input, "weight": weight, "bias": bias, "groups": groups}
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
    given = {"input": input, "weight": weight, "bias": bias, "groups": groups}
    groups = _check_dimensions(function, n, given)
    _check_channels(function, n, given, inputs=weight.shape[0], outputs=weight.shape[1] * groups)
    stride = sizes(function, "stride", stride, n, least=1)
    padding = sizes(function, "padding", padding, n)
    extra = sizes(function, "output_padding", output_padding, n)
    dilation = sizes(function, "dilation", dilation, n, least=1)
    if any(e >= max(s, d) for e, s, d in zip(extra, stride, dilation, strict=True)):
        raise ValueError(explain(function, "output_padding must be below stride or dilation", {
            "output_padding": extra, "stride": stride, "dilation": dilation}))
    reach = [(size - 1) * s + (k - 1) * d + 1 for size, k, s, d in
             zip(input.shape[-n:], weight.shape[2:], stride, dilation, strict=True)]
    if min(r - 2 * p + e for r, p, e in zip(reach, padding, extra, strict=True)) < 1:
        raise ShapeError(explain(function, "nothing is left of the output", given | {
            "stride": stride, "padding": padding, "dilation": dilation}, "use less padding"))
    x, w = _as_image(as_batch(input, n + 2)), _as_image(weight)
    y = _spread(x, w, groups, _both(reach, 1), _both(padding, 0), _both(extra, 0),
                _both(stride, 1), _both(dilation, 1))
    return _finished(y, bias, input, n)


def _spread(x, weight, groups, reach, padding, extra, stride, dilation):
    """Spread windows over `reach`, less the padding, plus what is extra at the end."""
    size = tuple(r - 2 * p + e for r, p, e in zip(reach, padding, extra, strict=True))
    options = {"stride": stride, "dilation": dilation, "groups": groups}
    if all(e < s for e, s in zip(extra, stride, strict=True)):
        return ops.conv2d_input(x, weight, size=size, padding=padding, **options)
    # A convolution over `size` would have more places than x has elements: cut the size out here.
    whole = _enlarged(ops.conv2d_input(x, weight, size=reach, **options), extra)
    inner = (slice(p, p + s) for p, s in zip(padding, size, strict=True))
    return cut(whole, at=(*map(slice, whole.shape[:2]), *inner))


def _padding_by_name(function, x, weight, stride, padding, dilation):
    """Return the input and its padding on both sides for "valid" and "same"."""
    if padding not in ("valid", "same"):
        raise ValueError(f"{function}: padding is integers, 'valid' or 'same', not {padding!r}")
    if padding == "valid":
        return x, 0
    if max(stride) > 1:
        raise ValueError(explain(function, "padding 'same' is only for stride 1",
                                 {"stride": stride}, "give the padding as integers"))
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
        raise ShapeError(explain(function, "groups must divide the weight's first size", given))
    if bias is not None:
        need_tensors(function, bias=bias)
        if bias.shape != (outputs,):
            raise ShapeError(explain(function, f"bias must have shape ({outputs},)", given))
