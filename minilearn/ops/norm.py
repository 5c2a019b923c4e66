"""Batch normalisation as one fused op: composed of smaller ones it takes 6 to 10 times as long.

Channels-last memory makes it a matter of a matrix X (places, channels): the statistics are column
sums, normalising is X * a + c, and the gradient is G * k1 + X * k2 + k3. Rows are kept long by
laying several places side by side: NumPy's loop over 8 channels costs four times that over 256.
"""

from __future__ import annotations

import math

from .. import xp
from ..op import Op

LONG = 256  # elements in a long row, at least where the number of places allows it


@Op
def batch_norm(input, weight, bias, *, mean, var, eps):
    """Return `(input - mean) / sqrt(var + eps) * weight + bias` for each channel.

    input (N, C, ...), weight, bias, mean, var (C,). `mean` and `var` must be the statistics of
    this very input (`moments`): the gradient takes into account that they depend on it.
    """
    rows = _long_rows(input)
    scale = weight / xp.sqrt(var + eps)
    y = rows * _along(scale, rows)
    y += _along(bias - mean * scale, rows)  # in place, here and below: a new array takes twice
    return _undo(y, input)


def _gradients(g, y, input, weight, bias, *, needs, mean, var, eps):
    """The joint rule, worked out by hand (Ioffe & Szegedy 2015)."""
    places = math.prod(input.shape) // input.shape[1]
    rstd = 1 / xp.sqrt(var + eps)
    g, x = _long_rows(g), _long_rows(input)
    d_bias = _channel_sums(g, mean.shape[0])
    d_weight = (_by_channel(xp.column_products(g, x), mean.shape[0]) - mean * d_bias) * rstd
    # dx = (g - (x - mean) rstd d_weight / places - d_bias / places) weight rstd, in one new array
    k = -rstd * d_weight / places
    dx = x * _along(k, x)
    dx += g
    dx -= _along(k * mean + d_bias / places, x)
    dx *= _along(weight * rstd, x)
    return _undo(dx, input), d_weight, d_bias


def _composite(input, weight, bias, *, mean, var, eps):
    """The same in small steps, from the input alone: what higher derivatives go through."""
    dims = (0, *range(2, input.data.ndim))
    column = (1, -1) + (1,) * (input.data.ndim - 2)
    centred = input - input.mean(dims, True)
    scale = ((centred * centred).mean(dims, True) + eps) ** -0.5
    return centred * scale * weight.reshape(column) + bias.reshape(column)


batch_norm.fused(_gradients, _composite)


def moments(x):
    """Return the mean and the (biased) variance of each channel of an array (N, C, ...).

    The mean square less the squared mean takes one pass, but where the mean is large, its digits
    cancel: then the squares are of what is around the mean.
    """
    channels = x.shape[1]
    places = math.prod(x.shape) // channels
    rows = _long_rows(x)
    mean = _channel_sums(rows, channels) / places
    if xp.library() == "numpy":  # elsewhere, asking for a truth value would wait for the device
        square = _by_channel(xp.column_products(rows, rows), channels) / places
        var = square - mean * mean
        if xp.all(var > square / 4):
            return mean, var
    centred = rows - _along(mean, rows)
    centred *= centred
    return mean, _channel_sums(centred, channels) / places


def _long_rows(x):
    """See (N, C, ...) as rows of several places each: a view where memory is channels-last."""
    channels = x.shape[1]
    places = math.prod(x.shape) // max(channels, 1)
    side_by_side = math.gcd(places, 2 ** max(LONG // max(channels, 1), 1).bit_length() // 2)
    x = xp.permute_dims(x, (0, *range(2, x.ndim), 1))
    return xp.reshape(x, (places // max(side_by_side, 1), side_by_side * channels))


def _undo(rows, x):
    """Undo `_long_rows`, for the shape of `x`."""
    rows = xp.reshape(rows, (x.shape[0], *x.shape[2:], x.shape[1]))
    return xp.permute_dims(rows, (0, x.ndim - 1, *range(1, x.ndim - 1)))


def _along(vector, rows):
    """Repeat a value per channel along a long row."""
    return xp.tile(vector, (rows.shape[1] // vector.shape[0],))


def _channel_sums(rows, channels):
    """Add up each channel. The product with ones is five times as fast as sum(axis=0)."""
    ones = xp.ones(rows.shape[0], dtype=rows.dtype, device=xp.device())
    return _by_channel(ones @ rows, channels)


def _by_channel(columns, channels):
    """Add up the columns of each channel."""
    return xp.sum(xp.reshape(columns, (-1, channels)), axis=0)
