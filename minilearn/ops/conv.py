"""Convolution in two dimensions, and the two ops that differentiate it.

A kernel slides over the input; at each place, output = (the window under it) . weight. So:

* write every window as a row of a matrix ("im2col"), and convolution is one matrix product;
* it is linear in the input: its gradient spreads each output's g back over the window it came
  from ("col2im"). That is the *transposed convolution*, here `conv2d_input`;
* it is linear in the weight: `conv2d_weight` sums windows times g over all places.

Each of the three is linear in both of its inputs, so the gradients of each are the other two, and
derivatives of any order need no further code.

Shapes are torch's: input (N, C, H, W), weight (O, C / groups, KH, KW), output (N, O, OH, OW).
Memory is channels-last: results are (N, H, W, C) arrays seen through a transposed view, so that a
window's row of pixels is one run of memory, and a matrix product's rows are already in place.
"""

from __future__ import annotations

import itertools
import math

from .. import xp
from ..errors import ShapeError, explain
from ..op import Op


@Op
def conv2d(input, weight, *, stride=(1, 1), padding=(0, 0), dilation=(1, 1), groups=1):
    """Slide `weight` over the zero-padded `input`; at every place, sum the products.

    input (N, C, H, W), weight (O, C / groups, KH, KW) -> (N, O, OH, OW) with
    OH = (H + 2 padding - dilation (KH - 1) - 1) // stride + 1. Raises ShapeError if the kernel is
    larger than the padded input.
    """
    n, _, *size = input.shape
    o, kernel = weight.shape[0], tuple(weight.shape[2:])
    places = output_size("conv2d", size, kernel, stride, padding, dilation)
    windows = _windows(_padded(input, padding), kernel, stride, dilation, groups)
    matrix = _weight_matrix(weight, groups)
    out = xp.empty((n, *places, groups, o // groups), input.dtype)
    for tile in _tiles(n, places, matrix.shape):
        out[tile] = _ungrouped(_rows(windows[tile]) @ matrix, out[tile].shape)
    return _channels_first(out)


@Op
def conv2d_input(grad, weight, *, size, stride=(1, 1), padding=(0, 0), dilation=(1, 1), groups=1):
    """Spread every element of `grad` over the window it came from: the transposed convolution.

    grad (N, O, OH, OW), weight (O, C / groups, KH, KW) -> (N, C, *size): the gradient of `conv2d`
    for an input whose height and width are `size`.
    """
    n, _, *places = grad.shape
    c, kernel = weight.shape[1], tuple(weight.shape[2:])
    border = _border(kernel, padding, dilation)
    fits = [s - b + p for s, b, p in zip(size, border, padding, strict=True)] == places
    if fits and _gathers(places, size, stride, border):
        turned = _turned(weight, groups)
        return conv2d.forward(grad, turned, padding=border, dilation=dilation, groups=groups)
    (top, left), (height, width) = padding, size
    out = xp.zeros((n, height + 2 * top, width + 2 * left, groups, c), grad.dtype)
    g = _grouped(_channels_last(grad), groups)
    matrix = xp.matrix_transpose(_weight_matrix(weight, groups))
    for images, rows, _ in _tiles(n, places, (groups, matrix.shape[2], 0)):
        part = g[images, rows, ...]
        spread = _ungrouped(_rows(part) @ matrix, (*part.shape[:3], groups, *kernel, c))
        visited = xp.kernel_slices(rows, slice(0, places[1]), kernel, stride, dilation)
        for i, j in itertools.product(*map(range, kernel)):
            out[images, *visited[i][j], ...] += spread[:, :, :, :, i, j, ...]
    return _channels_first(out[:, top : top + height, left : left + width, ...])


@Op
def conv2d_weight(input, grad, *, kernel, stride=(1, 1), padding=(0, 0), dilation=(1, 1), groups=1):
    """Sum, over all places, the window there times the element of `grad` there.

    input (N, C, H, W), grad (N, O, OH, OW) -> (O, C / groups, *kernel): the gradient of `conv2d`
    for a weight whose height and width are `kernel`.
    """
    n, o, *places = grad.shape
    c = input.shape[1] // groups
    windows = _windows(_padded(input, padding), kernel, stride, dilation, groups, places)
    g = _grouped(_channels_last(grad), groups)
    total = xp.zeros((groups, o // groups, math.prod(kernel) * c), input.dtype)
    for tile in _tiles(n, places, (groups, total.shape[2], 0)):
        total += xp.matrix_transpose(_rows(g[tile])) @ _rows(windows[tile])
    return _from_matrix(total, kernel)


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
    """Both gradients of a convolution with stride 1 from one window matrix, that of `g`.

    Where `conv2d_input` gathers with the kernel turned round, the windows it gathers times the
    input give the gradient of that turned kernel.
    """
    shape = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    size, kernel = tuple(input.shape[2:]), tuple(weight.shape[2:])
    border = _border(kernel, padding, dilation)
    if not (all(needs) and _gathers(g.shape[2:], size, stride, border)):
        dx = conv2d_input.forward(g, weight, size=size, **shape) if needs[0] else None
        return dx, conv2d_weight.forward(input, g, kernel=kernel, **shape) if needs[1] else None
    windows = _windows(_padded(g, border), kernel, (1, 1), dilation, groups)
    dx, dw = _both_products(windows, _turned(weight, groups), input)
    return dx, _turned(dw, groups)


def _input_gradients(g, y, grad, weight, *, needs, size, stride, padding, dilation, groups):
    """Both gradients of a transposed convolution, again from one window matrix, that of `g`."""
    shape = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    kernel = tuple(weight.shape[2:])
    if not all(needs):
        dx = conv2d.forward(g, weight, **shape) if needs[0] else None
        return dx, conv2d_weight.forward(g, grad, kernel=kernel, **shape) if needs[1] else None
    windows = _windows(_padded(g, padding), kernel, stride, dilation, groups)
    return _both_products(windows, weight, grad)


def _both_products(windows, weight, other):
    """Return windows . weight, and the sum over all places of `other` times the windows."""
    n, *places = windows.shape[:3]
    groups = windows.shape[3]
    matrix = _weight_matrix(weight, groups)
    other = _grouped(_channels_last(other), groups)
    out = xp.empty((n, *places, groups, matrix.shape[2]), other.dtype)
    total = xp.zeros((groups, matrix.shape[2], matrix.shape[1]), other.dtype)
    for tile in _tiles(n, places, matrix.shape):
        rows = _rows(windows[tile])
        out[tile] = _ungrouped(rows @ matrix, out[tile].shape)
        total += xp.matrix_transpose(_rows(other[tile])) @ rows
    return _channels_first(out), _from_matrix(total, tuple(weight.shape[2:]))


conv2d.fused(_conv_gradients)
conv2d_input.fused(_input_gradients)


# ---------------------------------------------------------------- sizes and layouts


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


def _gathers(places, size, stride, border):
    """Say whether spreading `places` over `size` is better done by gathering for each of `size`.

    In steps of 1 it is the same with the kernel turned round, and faster, unless there is much more
    to gather for than to spread, as where a single pixel becomes an image.
    """
    many = 2 * math.prod(places) >= math.prod(size)
    return stride == (1, 1) and min(border) >= 0 and many


def _channels_last(x):
    return xp.permute_dims(x, (0, 2, 3, 1))


def _channels_first(out):
    """View (N, H, W, G, C) memory as (N, G * C, H, W)."""
    n, h, w, g, c = out.shape
    return xp.permute_dims(xp.reshape(out, (n, h, w, g * c)), (0, 3, 1, 2))


def _padded(x, padding):
    """Return x as channels-last memory with zeros around it."""
    x, (top, left) = _channels_last(x), padding
    if top == left == 0:
        return xp.contiguous(x)
    n, h, w, c = x.shape
    out = xp.zeros((n, h + 2 * top, w + 2 * left, c), x.dtype)
    out[:, top : top + h, left : left + w, ...] = x
    return out


def _grouped(x, groups):
    """View (N, H, W, C) as (N, H, W, G, C / G)."""
    return xp.reshape(x, (*x.shape[:3], groups, x.shape[3] // groups))


def _windows(x, kernel, stride, dilation, groups, places=None):
    """View every window of x (N, H, W, C) as (N, OH, OW, G, KH, KW, C / G), without copying."""
    view = xp.windows(x, kernel, stride, dilation)
    if places is not None:
        view = view[:, : places[0], : places[1], ...]
    view = xp.reshape(view, (*view.shape[:5], groups, view.shape[5] // groups))
    return xp.permute_dims(view, (0, 1, 2, 5, 3, 4, 6))


def _rows(x):
    """Copy (n, h, w, G, ...) into the rows of one matrix per group: (G, n h w, ...)."""
    n, h, w, g = x.shape[:4]
    rows = xp.permute_dims(x, (3, 0, 1, 2, *range(4, x.ndim)))
    return xp.reshape(rows, (g, n * h * w, math.prod(x.shape[4:])))


def _ungrouped(rows, shape):
    """Turn (G, n h w, ...) back into `shape` = (n, h, w, G, ...)."""
    out = xp.reshape(rows, (shape[3], *shape[:3], *shape[4:]))
    return xp.permute_dims(out, (1, 2, 3, 0, *range(4, out.ndim)))


def _weight_matrix(weight, groups):
    """See (O, C, KH, KW) as one (KH KW C, O / G) matrix per group.

    In memory it is the transpose, which takes a fifth of the time to lay out; the matrix product
    does not care.
    """
    o, c, *kernel = weight.shape
    w = xp.permute_dims(weight, (0, 2, 3, 1))
    return xp.matrix_transpose(xp.reshape(w, (groups, o // groups, math.prod(kernel) * c)))


def _from_matrix(matrix, kernel):
    """Turn (G, O / G, KH KW C) into (O, C, KH, KW)."""
    groups, o, kkc = matrix.shape
    w = xp.reshape(matrix, (groups * o, *kernel, kkc // math.prod(kernel)))
    return xp.permute_dims(w, (0, 3, 1, 2))


def _turned(weight, groups):
    """Turn the kernel by 180 degrees, and swap what is input and output in each group."""
    o, c, *kernel = weight.shape
    w = xp.reshape(xp.flip(weight, axis=(2, 3)), (groups, o // groups, c, *kernel))
    return xp.reshape(xp.permute_dims(w, (0, 2, 1, 3, 4)), (groups * c, o // groups, *kernel))


def _tiles(n, places, matrix_shape):
    """Cut the places into pieces whose windows fill about one tile: (images, rows of places)."""
    groups, k, _ = matrix_shape
    budget = max(xp.TILE // (groups * k), 512)  # rows of the window matrix
    h, w = places
    if h * w <= budget:
        step = budget // max(h * w, 1)
        return [(slice(i, min(i + step, n)), slice(0, h), ...) for i in range(0, n, step)]
    step = max(budget // w, 1)
    rows = [slice(r, min(r + step, h)) for r in range(0, h, step)]
    return [(slice(i, i + 1), part, ...) for i in range(n) for part in rows]
