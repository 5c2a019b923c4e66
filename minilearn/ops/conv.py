"""Convolution in two dimensions, and the two ops that differentiate it.

A kernel slides over the input; at each place, output = (the window under it) . weight. So:

* write every window as a row of a matrix ("im2col"), and convolution is one matrix product;
* it is linear in the input: its gradient spreads each output's g back over the window it came
  from ("col2im"). That is the *transposed convolution*, here `conv2d_input`;
* it is linear in the weight: `conv2d_weight` sums windows times g over all places.

Each of the three is linear in both of its inputs, so the gradients of each are the other two, and
derivatives of any order need no further code.

Shapes are torch's: input (N, C, H, W), weight (O, C / groups, KH, KW), output (N, O, OH, OW). What
happens in memory is told in `windows.py`.
"""

from __future__ import annotations

import math

from .. import xp
from ..errors import ShapeError, explain
from ..op import Op
from .windows import channels_first, correlate, padded, spread, turned


@Op
def conv2d(input, weight, *, stride=(1, 1), padding=(0, 0), dilation=(1, 1), groups=1):
    """Slide `weight` over the zero-padded `input`; at every place, sum the products.

    input (N, C, H, W), weight (O, C / groups, KH, KW) -> (N, O, OH, OW) with
    OH = (H + 2 padding - dilation (KH - 1) - 1) // stride + 1. Raises ShapeError if the kernel is
    larger than the padded input.
    """
    kernel = tuple(weight.shape[2:])
    places = output_size("conv2d", input.shape[2:], kernel, stride, padding, dilation)
    return correlate(padded(input, padding), kernel, places, weight,
                     stride=stride, dilation=dilation, groups=groups)[0]


@Op
def conv2d_input(grad, weight, *, size, stride=(1, 1), padding=(0, 0), dilation=(1, 1), groups=1):
    """Spread every element of `grad` over the window it came from: the transposed convolution.

    grad (N, O, OH, OW), weight (O, C / groups, KH, KW) -> (N, C, *size): the gradient of `conv2d`
    for an input whose height and width are `size`.
    """
    border = _border(weight.shape[2:], padding, dilation)
    if _gathers(grad.shape[2:], size, stride, padding, border):
        return conv2d.forward(grad, turned(weight, groups), padding=border, dilation=dilation,
                              groups=groups)
    (top, left), (height, width) = padding, size
    out = spread(grad, weight, (height + 2 * top, width + 2 * left), stride=stride,
                 dilation=dilation, groups=groups)
    return channels_first(xp.contiguous(out[:, top : top + height, left : left + width, ...]))


@Op
def conv2d_weight(input, grad, *, kernel, stride=(1, 1), padding=(0, 0), dilation=(1, 1), groups=1):
    """Sum, over all places, the window there times the element of `grad` there.

    input (N, C, H, W), grad (N, O, OH, OW) -> (O, C / groups, *kernel): the gradient of `conv2d`
    for a weight whose height and width are `kernel`.
    """
    return correlate(padded(input, padding), tuple(kernel), tuple(grad.shape[2:]), other=grad,
                     stride=stride, dilation=dilation, groups=groups)[1]


conv2d.grad(
    lambda g, y, x, w, **p: conv2d_input(g, w, size=x.shape[2:], **p),
    lambda g, y, x, w, **p: conv2d_weight(x, g, kernel=w.shape[2:], **p),
)
conv2d_input.grad(
    lambda gg, y, g, w, size, **p: conv2d(gg, w, **p),
    lambda gg, y, g, w, size, **p: conv2d_weight(gg, g, kernel=w.shape[2:], **p),
)
conv2d_weight.grad(
    lambda gg, y, x, g, kernel, **p: conv2d_input(g, gg, size=x.shape[2:], **p),
    lambda gg, y, x, g, kernel, **p: conv2d(x, gg, **p),
)


def _conv_gradients(g, y, input, weight, *, needs, stride, padding, dilation, groups):
    """Both gradients of a convolution with stride 1 from the windows of `g` alone.

    Where `conv2d_input` gathers with the kernel turned round, the windows it gathers times the
    input give the gradient of that turned kernel.
    """
    shape = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    size, kernel = tuple(input.shape[2:]), tuple(weight.shape[2:])
    border = _border(kernel, padding, dilation)
    if not (all(needs) and _gathers(g.shape[2:], size, stride, padding, border)):
        dx = conv2d_input.forward(g, weight, size=size, **shape) if needs[0] else None
        return dx, conv2d_weight.forward(input, g, kernel=kernel, **shape) if needs[1] else None
    dx, dw = correlate(padded(g, border), kernel, size, turned(weight, groups), input,
                       stride=stride, dilation=dilation, groups=groups)
    return dx, xp.contiguous(turned(dw, groups))


def _input_gradients(g, y, grad, weight, *, needs, size, stride, padding, dilation, groups):
    """Both gradients of a transposed convolution, again from the windows of `g` alone."""
    return correlate(padded(g, padding), tuple(weight.shape[2:]), tuple(grad.shape[2:]),
                     weight if needs[0] else None, grad if needs[1] else None,
                     stride=stride, dilation=dilation, groups=groups)


conv2d.fused(_conv_gradients)
conv2d_input.fused(_input_gradients)


# ---------------------------------------------------------------- sizes


def output_size(function, size, kernel, stride, padding, dilation) -> tuple[int, ...]:
    """Return how many places a kernel has along each axis (Dumoulin & Visin 2016, relation 15).

    >>> output_size("conv2d", (28, 28), (3, 3), (2, 2), (1, 1), (1, 1))
    (14, 14)
    """
    places = tuple(
        (n + 2 * p - d * (k - 1) - 1) // s + 1
        for n, k, s, p, d in zip(size, kernel, stride, padding, dilation, strict=True)
    )
    if min(places) < 1:
        arguments = {"size": tuple(size), "kernel_size": tuple(kernel), "padding": padding,
                     "dilation": dilation}
        raise ShapeError(explain(function, "the kernel is larger than the padded input", arguments,
                                 "use a larger input, more padding or a smaller kernel"))
    return places


def _border(kernel, padding, dilation):
    """Return the padding with which the turned kernel undoes a convolution with stride 1."""
    return tuple((k - 1) * d - p for k, p, d in zip(kernel, padding, dilation, strict=True))


def _gathers(places, size, stride, padding, border):
    """Say whether spreading `places` over `size` is better done by gathering for each of `size`.

    In steps of 1 it is the same with the kernel turned round, and faster, unless there is much more
    to gather for than to spread, as where a single pixel becomes an image.
    """
    fits = all(s - b + p == o for s, b, p, o in zip(size, border, padding, places, strict=True))
    many = 2 * math.prod(places) >= math.prod(size)
    return fits and many and stride == (1, 1) and min(border) >= 0
