"""Sampling images on grids, and affine grids: against torch."""

import numpy as np
import pytest
import torch.nn.functional as T
from against_torch import agree, both_raise
from hypothesis import given
from hypothesis import strategies as st

from minilearn import functional as F

SAMPLE = (F.grid_sample, T.grid_sample)
MODES = ["bilinear", "nearest", "bicubic"]
OUTSIDE = ["zeros", "border", "reflection"]


def array(*shape, dtype="float64", seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


@pytest.mark.parametrize("outside", OUTSIDE)
@pytest.mark.parametrize("mode", MODES)
@given(st.tuples(st.integers(0, 2), st.integers(1, 3), st.integers(1, 5), st.integers(1, 4)),
       st.tuples(st.integers(1, 4), st.integers(1, 3)), st.booleans(), st.integers(0, 9))
def test_grid_sample_is_torch(mode, outside, shape, points, align, seed):
    x, grid = array(*shape), 2 * array(shape[0], *points, 2, seed=seed)
    agree(*SAMPLE, x, grid, mode, outside, align)


@pytest.mark.parametrize("outside", OUTSIDE)
@pytest.mark.parametrize("mode", MODES)
@given(st.integers(1, 4), st.integers(1, 5), st.booleans())
def test_points_on_edges_and_centres(mode, outside, h, w, align):
    """Multiples of 1 / 2 pixel: where rounding, clipping and mirrors switch."""
    step = np.arange(-12, 13) / 2
    ys, xs = ((2 * step + 1) / n - 1 if not align or n == 1 else 2 * step / (n - 1) - 1
              for n in (h, w))
    grid = np.stack(np.meshgrid(xs, ys), -1)[None]
    agree(*SAMPLE, array(1, 2, h, w), grid, mode, outside, align, order=1)


@pytest.mark.parametrize("outside", OUTSIDE)
@pytest.mark.parametrize("mode", MODES)
def test_float32_and_points_that_are_none(mode, outside):
    x, grid = array(2, 3, 5, 4, dtype="float32"), array(2, 3, 3, 2, dtype="float32", seed=1)
    agree(*SAMPLE, x, grid, mode, outside, True, order=1, reduction=32)
    agree(*SAMPLE, x, grid, mode, outside, order=1, reduction=32, align_corners=False)
    grid[0, 0, 0, 0], grid[1, 2, 2, 1], grid[0, 1] = np.nan, np.inf, -1e20
    agree(*SAMPLE, x, grid, mode, outside, True, order=0, reduction=32)


X, GRID = array(2, 3, 4, 5), array(2, 3, 2, 2)

BAD = {
    "another batch": (X, GRID[:1]), "three coordinates": (X, array(2, 3, 2, 3)),
    "no batch": (X[0], GRID), "a grid without batch": (X, GRID[0]),
    "an unknown mode": (X, GRID, "cubic"),
    "an unknown padding": (X, GRID, "bilinear", "wrap"), "dtypes": (X, GRID.astype("float32")),
    "integers": (X.astype(int), GRID.astype(int)), "empty images": (X[:, :, :0], GRID),
    "no tensor": (X, 1.0), "one argument too many": (X, GRID, "nearest", "zeros", True, 1),
}


@pytest.mark.parametrize("case", BAD)
def test_grid_sample_refuses(case):
    both_raise(*SAMPLE, *BAD[case], match="grid_sample")


# ---------------------------------------------------------------- affine grids

AFFINE = (F.affine_grid, T.affine_grid)


@pytest.mark.filterwarnings("ignore:Since version 1.3.0")  # torch, for a line of one pixel
@given(st.tuples(*[st.integers(1, 5)] * 4), st.booleans(), st.sampled_from(["float64", "float32"]))
def test_affine_grid_is_torch(size, align, dtype):
    agree(*AFFINE, array(size[0], 2, 3, dtype=dtype), size, align, reduction=64)
    agree(*AFFINE, array(size[0], 2, 3, dtype=dtype), list(size), align_corners=align, reduction=64)


THETA = array(2, 2, 3)


@pytest.mark.parametrize("theta, size", [
    (THETA, (2, 1, 3)), (THETA, (1, 1, 2, 3)), (THETA, (2, 1, 0, 3)), (THETA, (2, 0, 2, 3)),
    (THETA, (2, 1, -1, 3)), (THETA[:0], (0, 1, 2, 3)), (THETA.astype(int), (2, 1, 2, 3)),
    (THETA[0], (2, 1, 2, 3)), (THETA[:, :, :2], (2, 1, 2, 3)), (THETA, (2, 1, 2.0, 3)), (THETA, 4),
])
def test_affine_grid_refuses(theta, size):
    both_raise(*AFFINE, theta, size, match="affine_grid")


def test_the_identity_gives_the_image_back():
    def ours(x, theta):
        return F.grid_sample(x, F.affine_grid(theta, x.shape, False), align_corners=False)

    def theirs(x, theta):
        return T.grid_sample(x, T.affine_grid(theta, x.shape, False), align_corners=False)

    theta = np.array([[[1.0, 0, 0], [0, 1, 0]]] * 2) + 0.1 * array(2, 2, 3)
    agree(ours, theirs, X, theta)
