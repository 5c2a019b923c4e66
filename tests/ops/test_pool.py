"""Windows along one dimension: against a loop, and against their own transposes."""

import numpy as np
import pytest
from against_torch import agree, host
from hypothesis import given
from hypothesis import strategies as st

import minilearn as ml
from minilearn import xp
from minilearn.ops import pool
from minilearn.ops.pool import Window


@st.composite
def windows(draw):
    """A window on the last or the last but one dimension, and an input for it."""
    dim = draw(st.sampled_from([-1, -2]))
    size, kernel = draw(st.integers(1, 7)), draw(st.integers(1, 4))
    stride, dilation, padding = draw(st.tuples(*[st.integers(1, 3)] * 2, st.integers(0, 2)))
    most = (size + 2 * padding - 1) // stride + 1  # the last may reach over the end
    window = Window(dim, size, draw(st.integers(0, most)), kernel, stride, padding, dilation)
    x = np.random.default_rng(0).standard_normal((2, size, 3) if dim == -2 else (2, 3, size))
    return window, x


def tap(window, x, place, t):
    """What tap t meets at a place; None outside."""
    at = place * window.stride + t * window.dilation - window.padding
    return np.take(x, at, window.dim) if 0 <= at < window.size else None


def by_hand(window, x, reduction, outside):
    """Reduce every window in a loop."""
    empty = np.full_like(np.take(x, 0, window.dim), outside)
    places = [[tap(window, x, place, t) for t in range(window.kernel)]
              for place in range(window.places)]
    columns = [reduction(np.stack([empty if m is None else m for m in met]), 0) for met in places]
    if columns:
        return np.stack(columns, window.dim)
    return np.zeros([0 if i == x.ndim + window.dim else n for i, n in enumerate(x.shape)])


@given(windows())
def test_forward_is_the_loop(case):
    window, x = case
    total, largest = (f(ml.tensor(x), window=window) for f in (pool.window_sum, pool.window_max))
    np.testing.assert_allclose(host(total), by_hand(window, x, np.sum, 0), rtol=1e-12)
    np.testing.assert_array_equal(host(largest), by_hand(window, x, np.max, -np.inf))
    stacked = pool.window_stack(ml.tensor(x), window=window)
    np.testing.assert_array_equal(host(stacked).sum(-1), host(total))


@given(windows())
def test_pairs_are_transposes(case):
    """y . A x = x . A' y for both pairs, with and without a choice."""
    window, x = case
    rng = np.random.default_rng(1)
    y = pool.window_sum(ml.tensor(x), window=window)
    choice = xp.array(rng.integers(0, window.kernel, y.shape))
    for forth, back, options in ((pool.window_sum, pool.window_spread, {}),
                                 (pool.window_sum, pool.window_spread, {"choice": choice}),
                                 (pool.window_stack, pool.window_unstack, {})):
        y = host(forth(ml.tensor(x), window=window, **options))
        g = rng.standard_normal(y.shape)
        spread = host(back(ml.tensor(g), window=window, **options))
        assert spread.shape == x.shape
        np.testing.assert_allclose((y * g).sum(), (x * spread).sum(), rtol=1e-9, atol=1e-12)


@given(windows())
def test_gradients_are_differentiable(case):
    """Linear ops: the gradient of the gradient is the op again. For max, it is its one tap."""
    window, x = case
    for op in (pool.window_sum, pool.window_stack, pool.window_max):
        a = ml.tensor(x, requires_grad=True)
        y = op(a, window=window)
        g = ml.tensor(np.random.default_rng(2).standard_normal(y.shape), requires_grad=True)
        (dx,) = ml.grad(y, a, g, create_graph=True)
        v = np.random.default_rng(3).standard_normal(x.shape)
        (again,) = ml.grad((dx * ml.tensor(v)).sum(), g)
        if op is not pool.window_max:
            expected = op(ml.tensor(v), window=window)
            np.testing.assert_allclose(host(again), host(expected), atol=1e-12)
        else:  # a step of h in direction v changes the maximum by h times its tap of v
            ahead = host(op(ml.tensor(x + 1e-6 * v), window=window))
            inside = np.isfinite(ahead)
            rise = (ahead[inside] - host(y)[inside]) / 1e-6
            np.testing.assert_allclose(host(again)[inside], rise, atol=1e-6)


@pytest.mark.parametrize("values, tap", [
    ([1, 2, 2], 1), ([np.nan, 1, np.nan], 2), ([np.nan, 5, 1], 0), ([-np.inf] * 3, 0),
    ([np.inf, np.inf, 0], 0),
])
def test_the_first_of_equals_and_the_last_nan_is_chosen(values, tap):
    x = ml.tensor(np.array([values]))
    window = Window(-1, 3, 1, 3)
    y = pool.window_max(x, window=window)
    assert int(host(ml.Tensor(pool.chosen(x.data, y.data, window)))[0, 0]) == tap


def test_padding_is_never_chosen():
    x = xp.array(np.full((1, 3), -np.inf))
    window = Window(-1, 3, 3, 4, 2, 2)
    y = pool.window_max(ml.Tensor(x), window=window)
    assert host(ml.Tensor(pool.chosen(x, y.data, window))).tolist() == [[2, 0, 0]]


# ---------------------------------------------------------------- helpers behind the door


def test_kept_is_where():
    x, mask = np.array([1.0, np.inf, np.nan, -2.0]), np.array([True, False, False, False])
    assert host(xp.kept(xp.array(x), xp.array(mask))).tolist() == [1, 0, 0, 0]
    assert host(xp.kept(xp.array(x[:1]), xp.array(mask[1:2]))).tolist() == [0]


@given(st.integers(0, 2), st.integers(0, 2), st.sampled_from([0, 1, -1, -2]))
def test_pad_along_is_numpys(before, after, dim):
    x = np.arange(6.0).reshape(2, 3)
    widths = [(0, 0), (0, 0)]
    widths[dim] = before, after
    padded = host(xp.pad_along(xp.array(x), dim, before, after, 7))
    np.testing.assert_array_equal(padded, np.pad(x, widths, constant_values=7))


def test_memory_order_is_kept():
    if xp.library() == "numpy":
        x = np.ones((2, 4, 5, 3)).transpose(0, 3, 1, 2)
        for y in (xp.pad_along(x, -1, 1, 1, 0), xp.full_laid_out_like(x, (2, 3, 9, 9), 0)):
            assert y.transpose(0, 2, 3, 1).flags.c_contiguous


def test_float32_stays():
    window = Window(-1, 5, 2, 2, 2)
    agree(lambda x: pool.window_max(pool.window_sum(x, window=Window(-2, 3, 2, 2)), window=window),
          lambda x: (x[:, :-1] + x[:, 1:])[..., :4].unflatten(-1, (2, 2)).max(-1)[0],
          np.random.default_rng(0).standard_normal((2, 3, 5)).astype("float32"))
