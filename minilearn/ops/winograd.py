"""Convolution with 3x3 kernels by fewer multiplications (Winograd 1980; Lavin & Gray 2016).

Along a line, two neighbouring results of a kernel w0 w1 w2 need four products, not six. Of the four
numbers d0..d3 under them:

    m0 = (d0 - d2) w0,  m1 = (d1 + d2) (w0 + w1 + w2) / 2,  y0 = m0 + m1 + m2,
    m3 = (d1 - d3) w2,  m2 = (d2 - d1) (w0 - w1 + w2) / 2,  y1 = m1 - m2 - m3

Along both axes of an image, a tile of 2x2 results needs 16 instead of 36, and each of the 16 is one
matrix product over the channels. All of it is linear: the kernel's gradient goes the way backwards.
"""

from __future__ import annotations

from .. import xp


def fits(kernel, places, stride, dilation, groups) -> bool:
    """Say whether a convolution can go this way: kernels of 3x3, in steps of 1, whole tiles."""
    whole = places[0] % 2 == places[1] % 2 == 0
    return whole and kernel == (3, 3) and stride == dilation == (1, 1) and groups == 1


def pays(inputs, outputs) -> bool:
    """Say whether it is faster for so many channels: the sums must cost less than the products."""
    return xp.library() == "numpy" and min(inputs, outputs) >= 32 and inputs + outputs > 64


def correlate(x, weight=None, other=None):
    """Return the convolution of x with `weight`, and the gradient of a weight for that of `other`.

    x (N, H + 2, W + 2, C) with its border, weight (O, C, 3, 3), other (N, H, W, O) -> (N, H, W, O)
    and (O, C, 3, 3), or None for what is not asked for. Images are channels-last.
    """
    n, h, w, c = x.shape[0], x.shape[1] - 2, x.shape[2] - 2, x.shape[3]
    out = total = None
    if weight is not None:
        out, matrices = xp.empty((n, h, w, weight.shape[0]), x.dtype), _of_kernel(weight)
    if other is not None:
        total = xp.zeros((4, 4, other.shape[3], c), x.dtype)
    for images, first, last in _tiles(n, h, w, c):
        d = _of_input(x[images, first : last + 2])
        if weight is not None:
            _to_output(xp.matmul(d, matrices), out[images, first:last])
        if other is not None:
            total += xp.matmul(xp.matrix_transpose(_of_output(other[images, first:last])), d)
    return out, None if other is None else _to_kernel(total)


def _tiles(n, h, w, c):
    """Cut the images into (images, first row, last row), so that what is multiplied fits a tile."""
    many = max(xp.TILE // (16 * c), 128)  # tiles of 2x2 results
    rows = max(many // (w // 2), 1) * 2
    step = max(rows // h, 1)
    return [(slice(i, min(i + step, n)), r, min(r + rows, h))
            for i in range(0, n, step) for r in range(0, h, rows)]


# ---------------------------------------------------------------- the sums along one axis


def _input_sums(d, out):
    """d0..d3 -> what is multiplied."""
    xp.subtract(d[0], d[2], out=out[0])
    xp.add(d[1], d[2], out=out[1])
    xp.subtract(d[2], d[1], out=out[2])
    xp.subtract(d[1], d[3], out=out[3])


def _output_sums(m, out):
    """The products m0..m3 -> the two results."""
    xp.add(m[0], m[1] + m[2], out=out[0])
    xp.subtract(m[1] - m[2], m[3], out=out[1])


def _output_sums_back(y, out):
    """The gradients of the two results -> those of the products."""
    out[0][...] = y[0]
    xp.add(y[0], y[1], out=out[1])
    xp.subtract(y[0], y[1], out=out[2])
    xp.negative(y[1], out=out[3])


def _kernel_sums(w):
    """w0..w2 -> what is multiplied with."""
    ends, middle = (w[0] + w[2]) / 2, w[1] / 2
    return xp.stack([w[0], ends + middle, ends - middle, w[2]])


def _kernel_sums_back(u):
    both = (u[1] + u[2]) / 2
    return xp.stack([u[0] + both, (u[1] - u[2]) / 2, both + u[3]])


# ---------------------------------------------------------------- and along both


def _of_input(x):
    """(n, 2 R + 2, 2 S + 2, C) -> (4, 4, n R S, C)."""
    n, r, s, c = x.shape[0], x.shape[1] // 2 - 1, x.shape[2] // 2 - 1, x.shape[3]
    # Even and odd columns are laid apart, so that all that follows runs along whole rows.
    x = xp.permute_dims(xp.reshape(x, (n, 2 * r + 2, s + 1, 2, c)), (3, 0, 1, 2, 4))
    down = xp.empty((4, 2, n, r, s + 1, c), x.dtype)
    _input_sums([x[:, :, i : i + 2 * r : 2] for i in range(4)], down)
    even, odd = down[:, 0], down[:, 1]
    out = xp.empty((4, 4, n, r, s, c), x.dtype)
    _input_sums([even[..., :-1, :], odd[..., :-1, :], even[..., 1:, :], odd[..., 1:, :]],
                [out[:, j] for j in range(4)])
    return xp.reshape(out, (4, 4, n * r * s, c))


def _to_output(m, out):
    """(4, 4, n R S, O) -> out (n, 2 R, 2 S, O)."""
    n, h, w, o = out.shape
    m = xp.reshape(m, (4, 4, n, h // 2, w // 2, o))
    down = xp.empty((2, *m.shape[1:]), m.dtype)
    _output_sums(m, down)
    for i, row in enumerate(down):
        _output_sums(row, [out[:, i::2, j::2] for j in range(2)])


def _of_output(g):
    """The transpose of `_to_output`: (n, 2 R, 2 S, O) -> (4, 4, n R S, O)."""
    n, h, w, o = g.shape
    down = xp.empty((4, n, h // 2, w, o), g.dtype)
    _output_sums_back([g[:, 0::2], g[:, 1::2]], down)
    out = xp.empty((4, 4, n, h // 2, w // 2, o), g.dtype)
    _output_sums_back([down[..., 0::2, :], down[..., 1::2, :]], [out[:, j] for j in range(4)])
    return xp.reshape(out, (4, 4, -1, o))


def _of_kernel(weight):
    """(O, C, 3, 3) -> (4, 4, C, O)."""
    down = _kernel_sums(xp.permute_dims(weight, (2, 3, 1, 0)))
    return xp.stack([_kernel_sums(row) for row in down])


def _to_kernel(u):
    """The transpose of `_of_kernel`, but for gradients (4, 4, O, C) -> (O, C, 3, 3)."""
    across = xp.stack([_kernel_sums_back(row) for row in u])
    return xp.permute_dims(_kernel_sums_back(across), (2, 3, 0, 1))
