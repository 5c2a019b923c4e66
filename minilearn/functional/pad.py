"""Padding: a border of one value, or of the tensor's own elements."""

from __future__ import annotations

from .. import xp
from ..errors import ShapeError, explain
from ..ops.pieces import cat, cut, narrow, paste
from ..ops.shape import expand, flip, integers
from ..tensor import Tensor
from .arguments import need_scalars


def pad(input: Tensor, pad, mode: str = "constant", value: float | None = None) -> Tensor:
    """Add `pad[0]` elements before and `pad[1]` after along the last dimension, `pad[2]` and
    `pad[3]` along the one before it, and so on; negative numbers take elements away.

    mode: "constant" (`value`, by default 0), or the tensor's own elements: "reflect" (mirrored at
    the edge, which is not repeated), "replicate" (the edge again and again), "circular" (from the
    other end). These pad all dimensions but the first one or two. Raises ShapeError where the
    border does not fit.

    >>> pad(Tensor([[1.0, 2.0, 3.0]]), (2, 1), mode="reflect")
    tensor([[3., 2., 1., 2., 3., 2.]])
    """
    arguments = {"input": input, "pad": pad, "mode": mode, "value": value}
    widths = _widths(input, pad, arguments)
    if value is not None:
        need_scalars("pad", value=value)
    if mode == "constant":
        return _constant(input, widths, value or 0, arguments)
    _check_border(input, len(pad) // 2, mode, value, arguments)
    for dim, (before, after) in enumerate(widths):
        if before or after:
            input = BORDERS[mode](input, dim, before, after, arguments)
    return input


def _widths(x, pad, arguments) -> list[tuple[int, int]]:
    """Return (before, after) for each dimension, in the order of the dimensions."""
    if not isinstance(pad, tuple | list):
        raise TypeError(explain("pad", "pad must be a list of integers", arguments))
    flat = integers("pad", "pad", pad)
    if len(flat) % 2 or len(flat) > 2 * x.ndim:
        raise ShapeError(explain("pad", "needs two numbers for a dimension, the last first",
                                 arguments))
    given = list(zip(flat[::2], flat[1::2], strict=True))
    widths = [(0, 0)] * (x.ndim - len(given)) + given[::-1]
    if any(n + min(before, 0) + min(after, 0) < 0
           for n, (before, after) in zip(x.shape, widths, strict=True)):
        if arguments["mode"] in ("constant", "circular"):
            raise ShapeError(explain("pad", "takes away more than there is", arguments))
    return widths


def _check_border(x, dims, mode, value, arguments):
    """Refuse what has no elements to make a border of."""
    if mode not in BORDERS:
        raise ValueError(explain("pad", "no such mode", arguments,
                                 f"choose constant, {', '.join(BORDERS)}"))
    if value:
        raise ValueError(explain("pad", "only the mode constant takes a value", arguments))
    if not 1 <= dims <= 3 or x.ndim - dims not in (1, 2):
        raise ShapeError(explain("pad", "this mode pads all but the first one or two dimensions",
                                 arguments))
    if mode != "circular" and (0 in x.shape[x.ndim - dims - 1 :] or x.data.dtype == xp.bool):
        raise ShapeError(explain("pad", "there is no number to fill the border with", arguments))


def _constant(x, widths, value, arguments):
    """Cut off what is too much, and put the rest into a larger tensor full of the value."""
    if not xp.is_floating(x.data):
        if value - value != 0:
            raise ValueError(explain("pad", "no integer is infinite or nan", arguments))
        value = bool(value) if x.data.dtype == xp.bool else int(value)
    if any(min(pair) < 0 for pair in widths):
        x = cut(x, at=tuple(slice(max(-before, 0), n - max(-after, 0))
                            for n, (before, after) in zip(x.shape, widths, strict=True)))
    added = [(max(before, 0), max(after, 0)) for before, after in widths]
    sizes = list(zip(x.shape, added, strict=True))
    at = tuple(slice(before, before + n) for n, (before, _) in sizes)
    return paste(x, at=at, shape=tuple(n + sum(pair) for n, pair in sizes), value=value)


# ---------------------------------------------------------------- borders of the tensor's own


def _reflect(x, dim, before, after, arguments):
    n = x.shape[dim]
    if max(before, after) >= n:
        raise ShapeError(explain("pad", f"the mirror shows only {n - 1} elements", arguments))
    left = flip(narrow(x, dim, 1, max(before, 0)), dims=(dim,))
    right = flip(narrow(x, dim, max(n - 1 - max(after, 0), 0), max(after, 0)), dims=(dim,))
    return _trimmed(cat([left, x, right], dim), dim, before, after, arguments)


def _replicate(x, dim, before, after, arguments):
    def copies(at, count):
        shape = tuple(max(count, 0) if d == dim else n for d, n in enumerate(x.shape))
        return expand(narrow(x, dim, at, 1), shape)

    row = cat([copies(0, before), x, copies(-1, after)], dim)
    return _trimmed(row, dim, before, after, arguments)


def _circular(x, dim, before, after, arguments):
    x = _trimmed(x, dim, before, after, arguments, least=0)
    n = x.shape[dim]
    if max(before, after) > n:
        raise ShapeError(explain("pad", f"there are only {n} elements to go round", arguments))
    left = narrow(x, dim, n - max(before, 0), max(before, 0))
    return cat([left, x, narrow(x, dim, 0, max(after, 0))], dim)


def _trimmed(x, dim, before, after, arguments, least=1):
    """Take away what negative widths say."""
    start, stop = max(-before, 0), x.shape[dim] + min(after, 0)
    if stop - start < least:
        raise ShapeError(explain("pad", "takes away more than there is", arguments))
    return narrow(x, dim, start, stop - start)


BORDERS = {"reflect": _reflect, "replicate": _replicate, "circular": _circular}
