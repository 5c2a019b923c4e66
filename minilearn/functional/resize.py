"""Images in another size: interpolation, and pixels made from channels.

Resizing goes along one dimension after the other: each output is a weighted sum of a few inputs
(one, two or four) that `pick` selects.
"""

from __future__ import annotations

import math
import struct
from typing import Any

from .. import xp
from ..arrays import remembered
from ..errors import ShapeError, explain
from ..ops.resample import pick
from ..tensor import Tensor
from .adaptive_pool import adaptive_avg_pool1d, adaptive_avg_pool2d
from .arguments import need_choice, need_corners, need_floating, need_tensors
from .spatial import need_image, sizes

MODES = {  # name: numbers of dimensions after the channels
    "nearest": (1, 2),
    "nearest-exact": (1, 2),
    "linear": (1,),
    "bilinear": (2,),
    "bicubic": (2,),
    "area": (1, 2),
}
CUBIC = -0.75  # the slope of Keys' cubic (1981) one step away from its centre, as in torch


def interpolate(
    input: Tensor,
    size: Any = None,
    scale_factor: Any = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
    recompute_scale_factor: bool | None = None,
) -> Tensor:
    """Resize the images (N, C, H, W) or sequences (N, C, L) to `size`, or by `scale_factor`.

    mode: "nearest" (rounds down), "nearest-exact", "linear" (sequences), "bilinear" and "bicubic"
    (images) or "area" (means). Pixels are little squares; with align_corners they are points, and
    the first and the last stay where they are. A factor is used as it is given, even where the new
    size was rounded down, unless recompute_scale_factor. Raises ShapeError, TypeError, ValueError.

    >>> interpolate(Tensor([[[1.0, 2.0]]]), 4, mode="linear")
    tensor([[[1.  , 1.25, 1.75, 2.  ]]])
    """
    need_choice("interpolate", "mode", mode, tuple(MODES))
    need_tensors("interpolate", input=input)
    n = input.ndim - 2
    if n not in MODES[mode]:
        shapes = " or ".join("(N, C, L)" if n == 1 else "(N, C, H, W)" for n in MODES[mode])
        raise ShapeError(explain("interpolate", f"mode {mode!r} is for {shapes}", {"input": input}))
    need_image("interpolate", input, n, channels=mode != "area")
    need_corners("interpolate", align_corners)
    if align_corners is not None and "linear" not in mode and mode != "bicubic":
        raise ValueError(f"interpolate: mode {mode!r} has no align_corners; leave it out")
    size, steps = _new_size(input.shape[2:], size, scale_factor, recompute_scale_factor,
                            least=0 if mode == "area" else 1)
    if mode.startswith("nearest"):
        return _nearest(input, size, steps, shift=0.5 if mode == "nearest-exact" else 0.0)
    need_floating("interpolate", input=input)
    if mode == "area":
        return (adaptive_avg_pool1d if n == 1 else adaptive_avg_pool2d)(input, size)
    for dim, (places, step) in enumerate(zip(size, steps, strict=True), 2):
        kind, old = input.data.dtype, input.shape[dim]
        input = _resampled(input, dim, _taps(mode, old, places, step, align_corners, kind))
    return input


def _new_size(old, size, scale_factor, recompute, least):
    """Return the new sizes, and how far apart their pixels are in the old image."""
    if (size is None) == (scale_factor is None):
        raise ValueError("interpolate: give either size or scale_factor; got "
                         f"size={size!r}, scale_factor={scale_factor!r}")
    if size is not None:
        if recompute:
            raise ValueError("interpolate: recompute_scale_factor needs a scale_factor, not a size")
        size = sizes("interpolate", "size", size, len(old), least, exact=True)
        return size, [o / max(s, 1) for o, s in zip(old, size, strict=True)]
    factors = _factors(scale_factor, len(old))
    size = tuple(math.floor(o * f) for o, f in zip(old, factors, strict=True))
    if min(size) < least:
        raise ShapeError(explain("interpolate", "nothing is left of the image", {
            "old_size": tuple(old), "scale_factor": scale_factor}))
    if recompute:
        return size, [o / max(s, 1) for o, s in zip(old, size, strict=True)]
    return size, [1 / f for f in factors]


def _factors(scale_factor, n):
    many = isinstance(scale_factor, tuple | list)
    factors = tuple(scale_factor) if many else (scale_factor,) * n
    factors = tuple(f.item() if isinstance(f, xp.HOST_SCALAR) else f for f in factors)
    if any(isinstance(f, bool) or not isinstance(f, int | float) for f in factors):
        raise TypeError(f"interpolate: scale_factor must be numbers, got {scale_factor!r}")
    if not all(0 < f < math.inf for f in factors):
        raise ValueError(f"interpolate: scale_factor must be positive, got {scale_factor!r}")
    if len(factors) != n:
        raise ShapeError(f"interpolate: scale_factor must be one number or {n}, got {scale_factor}")
    return factors


def _nearest(x, size, steps, shift):
    if str(x.dtype) != "uint8":
        need_floating("interpolate", input=x)
    for dim, (places, step) in enumerate(zip(size, steps, strict=True), 2):
        x = pick(x, dim=dim, places=_nearest_pixels(x, dim, places, step, shift))
    return x


def _nearest_pixels(x, dim, places, step, shift):
    """List the pixels at (place + shift) * step, rounded down after rounding to float32.

    At the edge of a pixel rounding decides. So every step here is torch's, which differs between
    sequences and images: for images all is in float32, and a factor of 1 or 2 is always exact.
    """
    size, image = x.shape[dim], x.ndim == 4
    if image and not shift and places in (size, 2 * size):
        return tuple(place * size // places for place in range(places))
    rounded = _single if image or str(x.dtype) == "float32" else float
    step = rounded(step)
    at = [(place + shift) * step for place in range(places)]
    if not image:
        at = [rounded(rounded(a - shift) + shift) for a in at]
    return tuple(min(int(_single(a)), size - 1) for a in at)


def _single(number):
    """Round to float32."""
    return struct.unpack("f", struct.pack("f", number))[0]


@remembered
def _taps(mode, size, places, step, align_corners, kind):
    """List what the new pixels are made of: (numbers of the old pixels, their weights), ..."""
    taps = _cubic_taps if mode == "bicubic" else _linear_taps
    return [(tuple(xp.to_numpy(xp.astype(at, xp.int64)).tolist()), weights)
            for at, weights in taps(_positions(size, places, step, align_corners, kind), size)]


def _positions(size, places, step, align_corners, kind):
    """Return where the new pixels lie among the old ones, which have the numbers 0 to size - 1."""
    new = xp.arange(places, dtype_=kind)
    if align_corners:
        return new * ((size - 1) / (places - 1) if places > 1 else 0.0)
    return (new + 0.5) * step - 0.5


def _linear_taps(at, size):
    at = xp.clip(at, 0, size - 1)
    first = xp.floor(at)
    t = at - first
    return [(first, 1 - t), (xp.clip(first + 1, 0, size - 1), t)]


def _cubic_taps(at, size):
    first = xp.floor(at)
    weights = cubic_weights(at - first)
    return [(xp.clip(first + i - 1, 0, size - 1), w) for i, w in enumerate(weights)]


def _resampled(x, dim, taps):
    """Sum over the taps along one dimension."""
    column = (-1,) + (1,) * (x.ndim - dim - 1)
    total = None
    for places, weights in taps:
        part = pick(x, dim=dim, places=places) * Tensor(xp.reshape(weights, column))
        total = part if total is None else total + part
    return total


def cubic_weights(t):
    """Return the weights of the pixels at -1, 0, 1 and 2 for a point at t in [0, 1] (Keys 1981)."""
    a, s = CUBIC, 1 - t
    near = [((a + 2) * d - (a + 3)) * d * d + 1 for d in (t, s)]
    far = [((a * d - 5 * a) * d + 8 * a) * d - 4 * a for d in (1 + t, 1 + s)]
    return far[0], near[0], near[1], far[1]


# ---------------------------------------------------------------- pixels from channels and back


def pixel_shuffle(input: Tensor, upscale_factor: int) -> Tensor:
    """Arrange groups of r * r channels as squares of r * r pixels.

    input (..., C r r, H, W) -> (..., C, H r, W r). Shi et al. 2016. Raises
    ShapeError unless r * r divides the channels.
    """
    r = _factor("pixel_shuffle", input, "upscale_factor", upscale_factor)
    *lead, c, h, w = input.shape
    if c % (r * r):
        raise ShapeError(explain("pixel_shuffle", f"{c} channels do not divide by {r} * {r}",
                                 {"input": input, "upscale_factor": r}))
    # By way of channels-last, which is how convolutions lay images out in memory.
    squares = _exchanged(input, (1, 2, 0)).reshape((*lead, h, w, c // (r * r), r, r))
    large = _exchanged(squares, (0, 3, 1, 4, 2)).reshape((*lead, h * r, w * r, c // (r * r)))
    return _exchanged(large, (2, 0, 1))


def pixel_unshuffle(input: Tensor, downscale_factor: int) -> Tensor:
    """Arrange squares of r * r pixels as groups of r * r channels: undoes `pixel_shuffle`.

    input (..., C, H r, W r) -> (..., C r r, H, W). Raises ShapeError unless
    r divides height and width.
    """
    r = _factor("pixel_unshuffle", input, "downscale_factor", downscale_factor)
    *lead, c, h, w = input.shape
    if h % r or w % r:
        raise ShapeError(explain("pixel_unshuffle", f"{h} x {w} pixels do not divide by {r}",
                                 {"input": input, "downscale_factor": r}))
    squares = _exchanged(input, (1, 2, 0)).reshape((*lead, h // r, r, w // r, r, c))
    small = _exchanged(squares, (0, 2, 4, 1, 3)).reshape((*lead, h // r, w // r, c * r * r))
    return _exchanged(small, (2, 0, 1))


def _factor(function, input, name, factor):
    need_tensors(function, input=input)
    if input.ndim < 3:
        raise ShapeError(explain(function, "the input must be (..., C, H, W)", {"input": input}))
    if isinstance(factor, tuple | list):
        raise TypeError(f"{function}: {name} must be one integer, got {factor}")
    (factor,) = sizes(function, name, factor, 1, least=1)
    return factor


def _exchanged(x, order):
    """Permute the last dimensions."""
    lead = x.ndim - len(order)
    return x.permute((*range(lead), *(lead + i for i in order)))
