"""The windows of images as rows of a matrix, and the two products that convolutions are made of:

    windows . weight           a convolution
    other . windows            summed over all places: the gradient of a weight

That matrix holds every pixel KH KW times, and is never there as a whole: a *tile* of it is written,
multiplied while it is in the processor's cache, and forgotten. `spread` is the way back.

Memory is channels-last: images are (N, H, W, C) arrays, shown outside through a transposed view. So
a window's row of pixels is one run of memory, and the rows of a product are already in place.
"""

from __future__ import annotations

import itertools
import math

from .. import xp
from . import winograd


def correlate(x, kernel, places, weight=None, other=None, *, stride, dilation, groups):
    """Return windows . weight, and the sum over all places of other . windows.

    x (N, H, W, C) with its border; `kernel` is the size of a window, `places` how many there are
    along each axis; weight (O, C / groups, *kernel), other (N, O, *places). Returns arrays
    (N, O, *places) and (O, C / groups, *kernel), or None for what is not asked for.
    """
    other = None if other is None else channels_last(other)
    channels = x.shape[3], other.shape[3] if weight is None else weight.shape[0]
    f = 1 if groups > 1 or xp.waits() else _together(channels, kernel, places, stride, dilation)
    found = None
    if winograd.fits(kernel, places, stride, dilation, groups) and winograd.pays(*channels):
        found = winograd.correlate(x, weight, other)
    elif f > 1:
        found = _several(f, x, kernel, places, weight, other, stride, dilation)
    # Both multiply what lies beside a window too, if only by 0: so an infinity would spread.
    if found is None or not all(part is None or xp.all_finite(part) for part in found):
        found = _one(x, kernel, places, weight, other, stride, dilation, groups)
    out, dw = found
    # Whatever is computed from a weight's gradient goes by the weight's own order in memory.
    return (None if out is None else channels_first(out),
            None if dw is None else xp.contiguous(dw))


def _one(x, kernel, places, weight, other, stride, dilation, groups=1):
    """Do so with a row for each place."""
    windows = xp.windows(x, kernel, stride, dilation)[:, : places[0], : places[1], ...]
    windows = xp.permute_dims(_by_group(windows, groups), (0, 1, 2, 5, 3, 4, 6))
    out = total = None
    if weight is not None:
        matrix = _matrix(weight, groups)
        out = xp.empty((*windows.shape[:4], matrix.shape[2]), x.dtype)
    if other is not None:
        other = _by_group(other, groups)
        total = xp.zeros((groups, other.shape[4], math.prod(windows.shape[4:])), x.dtype)
    for tile in tiles(x.shape[0], places, math.prod(windows.shape[3:])):
        part = rows(windows[tile])
        if weight is not None:
            xp.multiply_into(rows(out[tile]), part, matrix)
        if other is not None:
            total += xp.matrix_transpose(rows(other[tile])) @ part
    if out is not None:
        out = xp.reshape(out, (*out.shape[:3], weight.shape[0]))
    return out, None if other is None else _from_matrix(total, kernel)


# ---------------------------------------------------------------- images of few channels


def _together(channels, kernel, places, stride, dilation):
    """Return how many neighbouring places should share one row.

    Few channels make short runs to copy and thin matrices to multiply. Places that share a row copy
    what their windows have in common once; the price is products with zeros. The three terms are
    the time for a run, for its elements and for their products, in nanoseconds as measured.
    """
    if dilation[1] > 1 or kernel[1] <= stride[1]:
        return 1

    def cost(f):
        run = (kernel[1] + (f - 1) * stride[1]) * channels[0]
        return (6 + 0.25 * run + 0.02 * run * (f * channels[1] + 8)) / f

    return min((f for f in range(1, 8) if places[1] % f == 0), key=cost)


def _several(f, x, kernel, places, weight, other, stride, dilation):
    """Do so with a row for f places: as for a wider kernel with f times as many outputs."""
    (h, w), (kh, kw), step = places, kernel, stride[1]
    shifts = [slice(i * step, i * step + kw) for i in range(f)]
    wide = kh, kw + (f - 1) * step
    if weight is not None:
        o, c = weight.shape[:2]
        repeated = xp.zeros((f, o, c, *wide), x.dtype)
        for i, at in enumerate(shifts):
            repeated[i, ..., at] = weight
        weight = xp.reshape(repeated, (f * o, c, *wide))
    if other is not None:
        other = xp.reshape(other, (*other.shape[:2], w // f, f * other.shape[3]))
    out, dw = _one(x, wide, (h, w // f), weight, other, (stride[0], f * step), dilation)
    if out is not None:
        out = xp.reshape(out, (*out.shape[:2], w, o))
    if dw is not None:
        parts = xp.reshape(dw, (f, dw.shape[0] // f, *dw.shape[1:]))
        dw = sum(parts[i, ..., at] for i, at in enumerate(shifts))
    return out, dw


# ---------------------------------------------------------------- back


def spread(g, weight, size, *, stride, dilation, groups):
    """Return images (N, *size, C) over which every g has been spread, each over its own window.

    g (N, O, OH, OW), weight (O, C / groups, KH, KW). Where windows overlap they add up. Every q-th
    window of a line overlaps no other of these: their lines of pixels are added all at once.
    """
    (n, _, *places), (c, kh, kw) = g.shape, weight.shape[1:]
    reach = (kw - 1) * dilation[1] + 1
    q = -(-reach // stride[1])
    width = max(size[1], (places[1] + q - 1) * stride[1])
    out = xp.zeros((n, size[0], width, groups, c), g.dtype)
    g, matrix = _by_group(channels_last(g), groups), xp.matrix_transpose(_matrix(weight, groups))
    for images, lines, _ in tiles(n, places, groups * matrix.shape[2]):
        part = g[images, lines, ...]
        windows = xp.empty((*part.shape[:4], matrix.shape[2]), g.dtype)
        xp.multiply_into(rows(windows), rows(part), matrix)
        windows = xp.reshape(windows, (*part.shape[:4], kh, kw, c))
        windows = xp.permute_dims(windows, (4, 0, 1, 2, 5, 3, 6))
        for i, first in itertools.product(range(kh), range(min(q, places[1]))):
            met = windows[i, :, :, first::q, ...]
            last = (first + met.shape[2] * q) * stride[1]
            down = xp.met_by(lines, i, stride[0], dilation[0])
            line = out[images, down, first * stride[1] : last, ...]
            line = xp.reshape(line, (*met.shape[:3], q * stride[1], groups, c))
            line[:, :, :, : reach : dilation[1], ...] += met
    return xp.reshape(out[:, :, : size[1], ...], (n, *size, groups * c))


# ---------------------------------------------------------------- sizes and layouts


def tiles(n, places, width):
    """Cut the places into pieces whose windows fill about one tile: (images, rows of places).

    width: of the matrix, in elements. At least 512 rows are multiplied at a time.
    """
    budget = max(xp.TILE // max(width, 1), 512)
    h, w = places
    if h * w <= budget:
        step = budget // max(h * w, 1)
        return [(slice(i, min(i + step, n)), slice(0, h), ...) for i in range(0, n, step)]
    step = max(budget // w, 1)
    lines = [slice(r, min(r + step, h)) for r in range(0, h, step)]
    return [(slice(i, i + 1), part, ...) for i in range(n) for part in lines]


def channels_last(x):
    """View (N, C, H, W) as (N, H, W, C)."""
    return xp.permute_dims(x, (0, 2, 3, 1))


def channels_first(x):
    """View (N, H, W, C) as (N, C, H, W)."""
    return xp.permute_dims(x, (0, 3, 1, 2))


def padded(x, padding):
    """Return (N, C, H, W) as channels-last memory with zeros around it."""
    x, (top, left) = channels_last(x), padding
    if top == left == 0:
        return xp.contiguous(x)
    n, h, w, c = x.shape
    out = xp.zeros((n, h + 2 * top, w + 2 * left, c), x.dtype)
    out[:, top : top + h, left : left + w, ...] = x
    return out


def turned(weight, groups):
    """Turn the kernel by 180 degrees, and swap what is input and output in each group."""
    o, c, *kernel = weight.shape
    w = xp.reshape(xp.flip(weight, axis=(2, 3)), (groups, o // groups, c, *kernel))
    return xp.reshape(xp.permute_dims(w, (0, 2, 1, 3, 4)), (groups * c, o // groups, *kernel))


def rows(x):
    """See (n, h, w, G, ...) as one matrix per group, (G, n h w, ...); windows are copied."""
    x = xp.reshape(x, (math.prod(x.shape[:3]), x.shape[3], math.prod(x.shape[4:])))
    return xp.permute_dims(x, (1, 0, 2))


def _by_group(x, groups):
    """See the last dimension C as (G, C / G)."""
    return xp.reshape(x, (*x.shape[:-1], groups, x.shape[-1] // groups))


def _matrix(weight, groups):
    """See (O, C / G, KH, KW) as one (KH KW C / G, O / G) matrix per group.

    In memory it is the transpose, which takes a fifth of the time to lay out; the matrix product
    does not care.
    """
    o, c, *kernel = weight.shape
    w = xp.permute_dims(weight, (0, 2, 3, 1))
    return xp.matrix_transpose(xp.reshape(w, (groups, o // groups, math.prod(kernel) * c)))


def _from_matrix(matrix, kernel):
    """Lay (G, O / G, KH KW C / G) out as (O, C / G, KH, KW)."""
    groups, o, kkc = matrix.shape
    w = xp.reshape(matrix, (groups * o, *kernel, kkc // math.prod(kernel)))
    return xp.permute_dims(w, (0, 3, 1, 2))
