"""The three convolution ops: each against torch, and closed under differentiation."""

import numpy as np
import pytest
import torch
import torch.nn.functional as T
from against_torch import agree, close, host
from hypothesis import assume, given
from hypothesis import strategies as st

import minilearn as ml
from minilearn import xp
from minilearn.errors import ShapeError
from minilearn.ops import conv as ops

pairs = {low: st.tuples(st.integers(low, 3), st.integers(low, 3)) for low in (0, 1)}
geometry = st.fixed_dictionaries({"stride": pairs[1], "padding": pairs[0], "dilation": pairs[1],
                                      "groups": st.integers(1, 2)})
shapes = st.tuples(st.integers(0, 3), st.integers(1, 2), st.integers(1, 2), st.integers(1, 7),
                   st.integers(1, 8), pairs[1])


def arrays(shape, geometry):
    """An input, a weight and a gradient of the output that fit together."""
    n, c, o, h, w, kernel = shape
    groups = geometry["groups"]
    size = np.array([h, w]) + 2 * np.array(geometry["padding"])
    room = size - np.array(geometry["dilation"]) * (np.array(kernel) - 1) - 1
    assume((room >= 0).all())
    places = room // np.array(geometry["stride"]) + 1
    rng = np.random.default_rng(0)
    return [rng.standard_normal(s) for s in
            ((n, c * groups, h, w), (o * groups, c, *kernel), (n, o * groups, *places))]


@given(shapes, geometry)
def test_conv2d_is_torch(shape, geometry):
    x, w, _ = arrays(shape, geometry)
    agree(ops.conv2d, T.conv2d, x, w, **geometry)


@given(shapes, geometry)
def test_conv2d_input_is_torch(shape, geometry):
    x, w, g = arrays(shape, geometry)
    size = x.shape[2:]

    def theirs(g, w, size, **geometry):
        return torch.nn.grad.conv2d_input((*x.shape[:2], *size), w, g, **geometry)

    assume(len(x))  # torch cannot go on from an empty one
    agree(ops.conv2d_input, theirs, g, w, size=size, **geometry)


@given(shapes, geometry)
def test_conv2d_weight_is_torch(shape, geometry):
    x, w, g = arrays(shape, geometry)

    def theirs(x, g, kernel, **geometry):
        return torch.nn.grad.conv2d_weight(x, (*w.shape[:2], *kernel), g, **geometry)

    assume(len(x))
    agree(ops.conv2d_weight, theirs, x, g, kernel=w.shape[2:], **geometry)


@given(shapes, geometry)
def test_the_three_are_one_trilinear_form(shape, geometry):
    """g . conv(x, w) = x . conv_input(g, w) = w . conv_weight(x, g)."""
    x, w, g = arrays(shape, geometry)
    y = ops.conv2d(ml.tensor(x), ml.tensor(w), **geometry)
    dx = ops.conv2d_input(ml.tensor(g), ml.tensor(w), size=x.shape[2:], **geometry)
    dw = ops.conv2d_weight(ml.tensor(x), ml.tensor(g), kernel=w.shape[2:], **geometry)
    products = [(host(a) * b).sum() for a, b in ((y, g), (dx, x), (dw, w))]
    np.testing.assert_allclose(products, products[0], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("tile", [1, 2000])
@pytest.mark.parametrize("geometry", [{}, {"stride": (2, 1)}, {"padding": (1, 2), "groups": 2}])
def test_tiles_give_the_same(tile, geometry, monkeypatch):
    """An image that is cut into several tiles: a whole batch, one image, some rows at a time."""
    rng = np.random.default_rng(0)
    x, w = rng.standard_normal((5, 4, 40, 50)), rng.standard_normal((6, 4, 3, 2))
    w = w[:, : 4 // geometry.get("groups", 1)]
    monkeypatch.setattr(xp, "TILE", tile)
    agree(ops.conv2d, T.conv2d, x, w, **geometry)


def test_memory_order_does_not_matter():
    rng = np.random.default_rng(0)
    x, w = rng.standard_normal((2, 3, 5, 4)), rng.standard_normal((4, 3, 2, 3))
    plain = ops.conv2d(ml.tensor(x), ml.tensor(w))
    last = xp.permute_dims(xp.array(x.transpose(0, 2, 3, 1)), (0, 3, 1, 2))
    close(ops.conv2d(ml.Tensor(last), ml.tensor(w)), plain)


def test_inputs_stay_as_they_are():
    x, w = np.ones((1, 2, 3, 3)), np.ones((1, 2, 2, 2))
    a, b = ml.tensor(x, requires_grad=True), ml.tensor(w, requires_grad=True)
    (ops.conv2d(a, b, padding=(1, 1)) * 2).sum().backward()
    assert (host(a) == x).all() and (host(b) == w).all()


def test_output_size_says_what_does_not_fit():
    with pytest.raises(ShapeError, match=r"f: the kernel is larger .*size=\(2, 9\)"):
        ops.output_size("f", (2, 9), (3, 3), (1, 1), (0, 0), (1, 1))
