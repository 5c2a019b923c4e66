"""Pooling against torch: every option, ties, NaN, infinities, adaptive windows, errors."""

import numpy as np
import pytest
import torch.nn.functional as T
from against_torch import agree, both_raise
from hypothesis import assume, given
from hypothesis import strategies as st

from minilearn import functional as F

MAX = {1: (F.max_pool1d, T.max_pool1d), 2: (F.max_pool2d, T.max_pool2d)}
AVG = {1: (F.avg_pool1d, T.avg_pool1d), 2: (F.avg_pool2d, T.avg_pool2d)}
ADAPTIVE_MAX = {1: (F.adaptive_max_pool1d, T.adaptive_max_pool1d),
                2: (F.adaptive_max_pool2d, T.adaptive_max_pool2d)}
ADAPTIVE_AVG = {1: (F.adaptive_avg_pool1d, T.adaptive_avg_pool1d),
                2: (F.adaptive_avg_pool2d, T.adaptive_avg_pool2d)}


def numbers(low, high):
    """An integer for both dimensions, or one for each."""
    each = st.integers(low, high)
    return st.one_of(each, st.tuples(each, each))


def along(value, n):
    return value[:n] if isinstance(value, tuple) else value


def lead(batch):
    return () if batch is None else (batch,)


@st.composite
def images(draw, n, largest=9, values=("free", "ties")):
    """Images of all sizes; with ties, a few small integers."""
    batch = draw(st.sampled_from([None, 0, 1, 3]))
    shape = (*lead(batch), 2, *draw(st.tuples(*[st.integers(1, largest)] * n)))
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    x = rng.standard_normal(shape)
    if draw(st.sampled_from(values)) == "ties":
        x = rng.integers(-1, 2, shape) * 1.0
    return x.astype(draw(st.sampled_from(["float64", "float64", "float32"])))


def fits(x, n, kernel, padding, dilation):
    """Say whether torch accepts the kernel, and no window lies in the padding alone.

    There torch writes outside of its memory, and may crash.
    """
    k, p, d = (np.broadcast_to(v, n) for v in (kernel, padding, dilation))
    size = np.array(x.shape[-n:])
    met = all(min((start + t * b for t in range(a) if start + t * b >= 0), default=m) < m
              for m, a, c, b in zip(size, k, p, d, strict=True) for start in range(-c, 0))
    return met and (2 * p <= k).all() and (size + 2 * p - d * (k - 1) - 1 >= 0).all()


@pytest.mark.parametrize("n", [1, 2])
@given(st.data(), numbers(1, 4), st.none() | numbers(1, 4), numbers(0, 2), numbers(1, 3),
       st.booleans(), st.booleans())
def test_max_pool_is_torch(n, data, kernel, stride, padding, dilation, ceil_mode, return_indices):
    x = data.draw(images(n))
    kernel, stride, padding, dilation = (along(v, n) for v in (kernel, stride, padding, dilation))
    assume(fits(x, n, kernel, padding, dilation))
    agree(*MAX[n], x, kernel, stride, padding, dilation, ceil_mode, return_indices)


@pytest.mark.parametrize("n", [1, 2])
@given(st.data(), numbers(1, 4), st.none() | numbers(1, 4), numbers(0, 2), st.booleans(),
       st.booleans(), st.none() | st.sampled_from([1, 3, -2]))
def test_avg_pool_is_torch(n, data, kernel, stride, padding, ceil_mode, include, divisor):
    x = data.draw(images(n))
    kernel, stride, padding = (along(v, n) for v in (kernel, stride, padding))
    assume(fits(x, n, kernel, padding, 1))
    options = {} if n == 1 else {"divisor_override": divisor}
    agree(*AVG[n], x, kernel, stride, padding, ceil_mode, include, reduction=16, **options)


@pytest.mark.parametrize("n", [1, 2])
@given(st.data(), numbers(1, 12), st.booleans())
def test_adaptive_max_pool_is_torch(n, data, size, return_indices):
    x = data.draw(images(n, 11))
    agree(*ADAPTIVE_MAX[n], x, along(size, n), return_indices)


@pytest.mark.parametrize("n", [1, 2])
@given(st.data(), numbers(1, 12))
def test_adaptive_avg_pool_is_torch(n, data, size):
    agree(*ADAPTIVE_AVG[n], data.draw(images(n, 11)), along(size, n), reduction=100)


@pytest.mark.parametrize("size", [(None, 2), (3, None), (None, None)])
def test_none_keeps_a_size(size):
    x = np.random.default_rng(0).standard_normal((2, 3, 5, 7))
    agree(*ADAPTIVE_MAX[2], x, size, True)
    agree(*ADAPTIVE_AVG[2], x, size)


# ---------------------------------------------------------------- numbers that are none


@given(st.lists(st.sampled_from([0.0, 1.0, np.nan, np.inf, -np.inf]), min_size=12, max_size=12),
       st.sampled_from([1, 2]), st.booleans())
def test_max_pools_pass_nan_and_infinity_on(values, stride, padded):
    x = np.array(values).reshape(1, 1, 3, 4)
    for kernel in (2, (3, 2), 3):
        agree(*MAX[2], x, kernel, stride, int(padded), 1, False, True)
    for kernel in (2, 3):
        agree(*MAX[1], x[0], kernel, stride, int(padded), 1, False, True)
    for size in (1, 2, 5):
        agree(*ADAPTIVE_MAX[2], x, size, True)


@given(st.lists(st.sampled_from([0.0, 1.0, np.nan, np.inf]), min_size=15, max_size=15))
def test_means_keep_infinity_in_its_window(values):
    x = np.array(values).reshape(1, 3, 5)
    agree(*AVG[2], x, 2, 1, 1)
    agree(*ADAPTIVE_AVG[2], x, (2, 3))
    agree(*ADAPTIVE_AVG[1], x, 3)


def test_an_infinite_gradient_reaches_only_its_maximum():
    def twice(pool):
        return lambda x: pool(x, 2) * float("inf")

    agree(*map(twice, MAX[2]), np.arange(1.0, 17).reshape(1, 4, 4), order=1)


def test_integers():
    x = np.random.default_rng(0).integers(-9, 9, (2, 3, 4, 5))
    agree(*MAX[2], x, 3, 2, 1)
    agree(*MAX[2], x.astype("uint8"), 3, 2, 1)
    agree(*MAX[2], x, 3, 2, 1, return_indices=True)


def test_large_windows():
    x = np.random.default_rng(0).standard_normal((2, 3, 20, 17))
    agree(*MAX[2], x, (18, 17), 1, return_indices=True)
    agree(*ADAPTIVE_MAX[2], x, 1, True)
    agree(*AVG[2], x, (20, 15), 2)
    agree(*MAX[1], np.repeat(x[0, 0], 20, 1), 300, 7, 150, return_indices=True)


def test_stride_of_nothing_is_the_kernel():
    x = np.random.default_rng(0).standard_normal((2, 3, 6, 5))
    for stride in ([], (), None):
        agree(*MAX[2], x, 2, stride)
        agree(*AVG[2], x, (2, 3), stride)
    agree(*MAX[2], x, (2,), [1], (1,))


# ---------------------------------------------------------------- refusals

X = np.ones((2, 3, 5, 6))

BAD = [{"kernel_size": 7}, {"kernel_size": 0}, {"kernel_size": 2.0}, {"kernel_size": (2, 2, 2)},
       {"kernel_size": 2, "stride": 0}, {"kernel_size": 2, "stride": -1},
       {"kernel_size": 2, "padding": 2}, {"kernel_size": 3, "padding": 2},
       {"kernel_size": 2, "padding": -1}, {"kernel_size": 2, "ceil": True}, {"kernel_size": "2"},
       {},
       {"kernel_size": 2, "padding": (0, 0, 0)}, {"kernel_size": 2, "stride": 1.5},
       {"kernel_size": None}]


@pytest.mark.parametrize("options", BAD)
@pytest.mark.parametrize("pools", [MAX, AVG], ids=["max", "avg"])
def test_pools_refuse(pools, options):
    both_raise(*pools[2], X, match="pool2d", **options)
    both_raise(*pools[1], X[0], match="pool1d", **options)


@pytest.mark.parametrize("x", [X[0, 0], X[None], X[:, :0], X[0, :0], X[:, :, :0], X > 0])
@pytest.mark.parametrize("pools", [MAX, AVG], ids=["max", "avg"])
def test_pools_refuse_shapes(pools, x):
    both_raise(*pools[2], x, 2, match="input=")


@pytest.mark.parametrize("x", [X[0, 0, 0], X, X[0, :, :0], X[:, 0, :0][:, :, :0], X[0] > 0])
@pytest.mark.parametrize("pools", [MAX, AVG], ids=["max", "avg"])
def test_pools_of_sequences_refuse_shapes(pools, x):
    both_raise(*pools[1], x, 1, match="input=")


def test_further_refusals():
    both_raise(*MAX[2], X, 2, dilation=0, match="dilation")
    both_raise(*MAX[2], X, 2, 1, 2, 4, match="half of the kernel")
    both_raise(*AVG[2], X, 2, divisor_override=0, match="divisor_override")
    both_raise(*AVG[2], X, 2, divisor_override=1.5, match="divisor_override")
    both_raise(*MAX[1], X[0].astype(int), 2, match="floating")


@pytest.mark.parametrize("size", [-1, (1, 2, 3), (2,), None, 2.0, "2"])
@pytest.mark.parametrize("pools", [ADAPTIVE_MAX, ADAPTIVE_AVG], ids=["max", "avg"])
def test_adaptive_pools_refuse_sizes(pools, size):
    both_raise(*pools[2], X, size, match="output_size")


@pytest.mark.parametrize("size", [-1, (1, 2), None, (None,), 2.0])
@pytest.mark.parametrize("pools", [ADAPTIVE_MAX, ADAPTIVE_AVG], ids=["max", "avg"])
def test_adaptive_pools_of_sequences_refuse_sizes(pools, size):
    both_raise(*pools[1], X[0], size, match="output_size")


@pytest.mark.parametrize("x", [X[0, 0], X[None], X[:, :, :0], X.astype(int)])
@pytest.mark.parametrize("pools", [ADAPTIVE_MAX, ADAPTIVE_AVG], ids=["max", "avg"])
def test_adaptive_pools_refuse_shapes(pools, x):
    both_raise(*pools[2], x, 2, match="input=")


def test_results_of_nothing():
    for size in (0, (0, 2), (2, 0)):  # torch cannot differentiate these
        agree(*ADAPTIVE_AVG[2], X, size, order=0)
        agree(*ADAPTIVE_MAX[2], X, size, True, order=0)
    agree(*ADAPTIVE_AVG[2], X[:, :0], 2, order=0)
    both_raise(*ADAPTIVE_MAX[2], X[:, :0], 2)
