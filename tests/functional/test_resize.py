"""Resizing, shuffling pixels, sampling on grids: against torch."""

import numpy as np
import pytest
import torch.nn.functional as T
from against_torch import agree, both_raise
from hypothesis import given
from hypothesis import strategies as st

from minilearn import functional as F

MODES = {"nearest": (1, 2), "nearest-exact": (1, 2), "linear": (1,), "bilinear": (2,),
         "bicubic": (2,), "area": (1, 2)}
RESIZE = (F.interpolate, T.interpolate)
dtypes = st.sampled_from(["float64", "float64", "float32"])


def array(*shape, dtype="float64", seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


@st.composite
def resizing(draw):
    """An image or sequence, and a mode that fits it."""
    mode = draw(st.sampled_from(sorted(MODES)))
    n = draw(st.sampled_from(MODES[mode]))
    size = draw(st.tuples(*[st.integers(1, 7)] * n))
    x = array(draw(st.sampled_from([0, 1, 2])), 2, *size, dtype=draw(dtypes))
    options = {"mode": mode}
    if "linear" in mode or mode == "bicubic":
        options["align_corners"] = draw(st.sampled_from([None, False, True]))
    return x, n, options


def tolerance(x, **loose):
    """Weights are rounded differently in float32, and interpolation amplifies it."""
    return {"reduction": 16} if x.dtype == np.float32 else {}


@given(resizing(), st.tuples(st.integers(1, 15), st.integers(1, 9)), st.booleans())
def test_interpolate_to_a_size_is_torch(case, size, single):
    x, n, options = case
    agree(*RESIZE, x, size[0] if single else size[:n], **options, **tolerance(x))


@given(resizing(), st.tuples(*[st.sampled_from([0.5, 1, 1.5, 2, 2.7, 3.0, 0.34])] * 2),
       st.booleans(), st.sampled_from([None, False, True]))
def test_interpolate_by_a_factor_is_torch(case, factor, single, recompute):
    x, n, options = case
    factor = factor[0] if single else factor[:n]
    options |= {"scale_factor": factor, "recompute_scale_factor": recompute}
    size = np.floor(np.array(x.shape[2:]) * factor)
    if (size < 1).any() and options["mode"] == "area":
        agree(*RESIZE, x, **options, order=0)
    elif (size < 1).any():
        both_raise(*RESIZE, x, match="interpolate", **options)
    else:
        agree(*RESIZE, x, **options, **tolerance(x))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("mode", ["nearest", "nearest-exact"])
def test_nearest_rounds_like_torch(mode, dtype):
    for old in (1, 2, 3, 7, 10, 15, 21, 22, 29):
        line = np.arange(old, dtype=dtype)
        for x in (line.reshape(1, 1, old), line.reshape(1, 1, old, 1)):
            for new in range(1, 60):
                agree(*RESIZE, x, (new, 2)[: x.ndim - 2], mode=mode, order=0)
            for factor in (1.1, 1.3, 1.7, 2.3, 3.3, 0.7, 1 / 3, 0.9):
                if int(old * factor):
                    factors = (factor, 2.0)[: x.ndim - 2]
                    agree(*RESIZE, x, scale_factor=factors, mode=mode, order=0)


def test_nearest_takes_bytes():
    agree(*RESIZE, np.arange(24, dtype="uint8").reshape(1, 2, 3, 4), (5, 2))


X = array(1, 2, 3, 4)

BAD_RESIZE = [
    {}, {"size": 2, "scale_factor": 2}, {"size": (2, 2, 2)}, {"size": (2,)}, {"size": 0},
    {"size": -1}, {"size": 2.5}, {"size": (2.5, 2)}, {"size": True}, {"scale_factor": (2,)},
    {"scale_factor": 0.1}, {"scale_factor": -1.0}, {"scale_factor": "2"},
    {"size": 2, "mode": "cubic"},
    {"size": 2, "mode": "linear"}, {"size": 2, "align_corners": True},
    {"size": 2, "align_corners": False},
    {"size": 2, "mode": "area", "align_corners": True}, {"size": 2, "recompute_scale_factor": True},
    {"size": 2, "foo": 1},
]


@pytest.mark.parametrize("options", BAD_RESIZE)
def test_interpolate_refuses(options):
    both_raise(*RESIZE, X, match="interpolate", **options)


@pytest.mark.parametrize("x, mode", [
    (X[0, 0], "nearest"), (X[0], "bilinear"), (X[0], "bicubic"), (X[:, :0], "nearest"),
    (X[:, :, :0], "bilinear"), (X.astype(int), "bilinear"), (X.astype(int), "area"),
    (X.astype(int), "nearest"),
])
def test_interpolate_refuses_inputs(x, mode):
    both_raise(*RESIZE, x, 2, mode=mode)


def test_antialias_is_left_out():
    with pytest.raises(TypeError, match="antialias"):
        F.interpolate(F.interpolate, 2, antialias=True)


# ---------------------------------------------------------------- pixels and channels


@given(st.lists(st.integers(1, 3), max_size=2), st.integers(1, 3), st.integers(1, 3),
       st.integers(1, 4), st.integers(1, 3), dtypes)
def test_pixel_shuffles_are_torch(lead, r, c, h, w, dtype):
    agree(F.pixel_shuffle, T.pixel_shuffle, array(*lead, c * r * r, h, w, dtype=dtype), r)
    agree(F.pixel_unshuffle, T.pixel_unshuffle, array(*lead, c, h * r, w * r, dtype=dtype), r)


@pytest.mark.parametrize("shape, r", [((8, 3), 2), ((7, 3, 2), 2), ((8, 3, 2), 0), ((8, 3, 2), -2),
                                      ((8, 3, 2), 2.0), ((8, 3, 2), (2, 2)), ((8, 3, 2), None)])
def test_pixel_shuffles_refuse(shape, r):
    both_raise(F.pixel_shuffle, T.pixel_shuffle, array(*shape), r, match="pixel_shuffle")
    both_raise(F.pixel_unshuffle, T.pixel_unshuffle, array(*shape), r, match="pixel_unshuffle")


def test_pixel_unshuffle_refuses_a_width():
    both_raise(F.pixel_unshuffle, T.pixel_unshuffle, array(1, 4, 3), 2, match="(1, 4, 3)")
