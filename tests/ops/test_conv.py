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
from minilearn.ops import windows, winograd

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


# ---------------------------------------------------------------- the fast ways

even = st.tuples(st.sampled_from([2, 4, 6]), st.sampled_from([2, 4, 8]))


@given(st.tuples(*[st.integers(1, 3)] * 3), even, pairs[0], st.sampled_from([1, 2**18]))
def test_winograd_is_torch(sizes, places, padding, tile):
    """Of every number of images and channels, in pieces or at once, to second order."""
    n, c, o = sizes
    size = [max(p + 2 - 2 * q, 0) for p, q in zip(places, padding, strict=True)]
    assume(min(size) > 0)
    rng = np.random.default_rng(0)
    x, w = rng.standard_normal((n, c, *size)), rng.standard_normal((o, c, 3, 3))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(winograd, "pays", lambda inputs, outputs: xp.library() == "numpy")
        patch.setattr(xp, "TILE", tile)
        agree(ops.conv2d, T.conv2d, x, w, padding=padding)


def ways(monkeypatch, function):
    """Return what a function gives by Winograd's way and by the plain one."""
    results = []
    for pays in (True, False):
        monkeypatch.setattr(winograd, "pays", lambda *channels, pays=pays: pays)
        monkeypatch.setattr(windows, "_together", lambda *arguments: 1)
        results.append(function())
    return results


@pytest.mark.skipif("config.getoption('--library') != 'numpy'", reason="NumPy's way")
def test_winograd_loses_no_digits(monkeypatch):
    rng = np.random.default_rng(0)
    x, w = rng.standard_normal((2, 64, 32, 32)), rng.standard_normal((48, 64, 3, 3)) / 24
    exact = ops.conv2d.forward(x, w, padding=(1, 1))
    x, w = x.astype(np.float32), w.astype(np.float32)
    found = ways(monkeypatch, lambda: ops.conv2d.forward(x, w, padding=(1, 1)))
    errors = [abs(y - exact).max() for y in found]
    assert found[0].dtype == np.float32 and errors[0] <= 2 * errors[1] < 1e-5


def test_where_winograd_pays():
    assert winograd.pays(64, 64) == winograd.pays(32, 64) == (xp.library() == "numpy")
    assert not winograd.pays(32, 32) and not winograd.pays(3, 512)
    plain = {"stride": (1, 1), "dilation": (1, 1), "groups": 1}
    assert winograd.fits((3, 3), (8, 6), **plain)
    assert not winograd.fits((3, 3), (7, 6), **plain) and not winograd.fits((3, 3), (8, 5), **plain)
    assert not winograd.fits((3, 1), (8, 6), **plain)
    for name, other in (("stride", (1, 2)), ("dilation", (2, 1)), ("groups", 2)):
        assert not winograd.fits((3, 3), (8, 6), **plain | {name: other})


@given(st.integers(2, 4), st.tuples(*[st.integers(1, 3)] * 3), st.integers(1, 3), pairs[1],
       pairs[0], pairs[1])
def test_places_that_share_a_row_are_torch(f, sizes, groups_of_places, kernel, padding, stride):
    """The weight is repeated for f places, and its gradients are added up again."""
    n, c, o = sizes
    width = (f * groups_of_places - 1) * stride[1] + kernel[1] - 2 * padding[1]
    height = max(kernel[0] - 2 * padding[0], 1) + 3
    assume(width > 0)
    rng = np.random.default_rng(0)
    x, w = rng.standard_normal((n, c, height, width)), rng.standard_normal((o, c, *kernel))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(windows, "_together",
                      lambda channels, kernel, places, *rest: f if places[1] % f == 0 else 1)
        agree(ops.conv2d, T.conv2d, x, w, padding=padding, stride=stride)


def together(channels, places, stride=1):
    return windows._together(channels, (3, 3), places, (stride, stride), (1, 1))


def test_places_share_a_row_where_channels_are_few():
    assert together((1, 8), (14, 14), stride=2) == 7  # the first layer of the digits' nets
    assert together((8, 8), (14, 14)) == 2
    assert together((16, 16), (7, 7)) == together((64, 64), (64, 64)) == 1
    assert windows._together((1, 8), (3, 3), (14, 14), (1, 1), (1, 2)) == 1  # dilated
    assert windows._together((1, 8), (1, 1), (14, 14), (1, 1), (1, 1)) == 1  # nothing in common


@pytest.mark.parametrize("bad", [np.inf, np.nan])
@pytest.mark.parametrize("channels", [1, 48])  # places share a row; Winograd's way
def test_an_infinity_stays_in_the_windows_that_contain_it(bad, channels):
    x = np.zeros((1, channels, 8, 8))
    x[0, 0, 3, 3] = bad
    y = host(ops.conv2d(ml.tensor(x), ml.tensor(np.ones((channels, channels, 3, 3)))))
    inside = np.zeros((6, 6), bool)
    inside[1:4, 1:4] = True
    assert (np.isfinite(y) == ~inside).all()


def test_the_gradient_of_a_weight_is_laid_out_like_it():
    x = ml.tensor(np.ones((2, 3, 4, 4), np.float32), requires_grad=True)
    for function in (ops.conv2d, lambda x, w: ops.conv2d_input(x, w, size=(5, 5), stride=(1, 1))):
        w = ml.tensor(np.ones((3, 3, 2, 2), np.float32), requires_grad=True)
        function(x, w).sum().backward()
        assert xp.library() != "numpy" or w.grad.data.flags.c_contiguous
