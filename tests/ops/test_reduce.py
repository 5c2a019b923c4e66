"""Sums, maxima, statistics, sorting: over every dimension, kept or not, compared with torch."""

import warnings

import hypothesis.strategies as st
import numpy as np
import pytest
import torch
from against_torch import agree, both_raise, close
from hypothesis import given
from hypothesis.extra import numpy as hnp

import minilearn as ml
from minilearn import xp

SEEDS = st.integers(0, 2**31)
FLOATS = st.sampled_from(["float32", "float64"])
NUMBERS = st.sampled_from(["bool", "uint8", "int32", "int64", "float32", "float64"])
SHAPES = hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4)
SOLID = hnp.array_shapes(min_dims=0, max_dims=3, max_side=4)  # with at least one element
EVERY = ["sum", "mean", "amax", "amin", "var", "std", "logsumexp", "norm", "any", "all"]


def normal(shape, dtype, seed):
    return np.asarray(np.random.default_rng(seed).standard_normal(shape), dtype)


def whole(shape, dtype, seed, low=-2, high=3):
    x = np.random.default_rng(seed).integers(0 if dtype == "uint8" else low, high, shape)
    return np.asarray(x).astype(dtype)


def distinct(shape, dtype, seed):
    n = int(np.prod(shape))
    x = np.random.default_rng(seed).permutation(n).reshape(shape) - n // 2
    return np.asarray(x, dtype)


@st.composite
def one_dim(draw, shapes=SHAPES):
    """A shape, and one of its dimensions, from either end."""
    shape = draw(shapes)
    n = max(len(shape), 1)
    return shape, draw(st.integers(-n, n - 1))


@st.composite
def some_dims(draw, shapes=SHAPES):
    """A shape, and what may be passed as `dim` for it."""
    shape = draw(shapes)
    n = len(shape)
    if not n:
        return shape, draw(st.sampled_from([None, 0, -1, (), (0,)]))
    several = st.lists(st.integers(0, n - 1), unique=True, max_size=n)
    signed = several.flatmap(lambda ds: st.tuples(*(st.sampled_from([d, d - n]) for d in ds)))
    return shape, draw(st.none() | st.integers(-n, n - 1) | signed)


def quietly(function):
    """torch warns where no degree of freedom is left; the results are compared all the same."""

    def call(*args, **kwargs):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return function(*args, **kwargs)

    return call


# ---------------------------------------------------------------- sums and means


@given(case=some_dims(), keepdim=st.booleans(), dtype=NUMBERS, seed=SEEDS)
def test_sum(case, keepdim, dtype, seed):
    shape, dim = case
    x = whole(shape, dtype, seed)
    if dim is None:
        agree(ml.sum, torch.sum, x)
    else:
        agree(ml.sum, torch.sum, x, dim, keepdim)
        agree(ml.sum, torch.sum, x, dim=dim, keepdim=keepdim, dtype=None)


@given(case=some_dims(), keepdim=st.booleans(), dtype=FLOATS, seed=SEEDS)
def test_mean(case, keepdim, dtype, seed):
    shape, dim = case
    order = 1 if 0 in shape else 2  # the mean of nothing is nan, and so is what follows from it
    agree(ml.mean, torch.mean, normal(shape, dtype, seed), dim, keepdim, order=order)


def test_dtype_of_a_sum():
    for name in ("sum", "mean", "prod"):
        x = whole((2, 3), "int64", 0)
        ours = getattr(ml, name)(ml.tensor(x), dtype=ml.float64)
        close(ours, getattr(torch, name)(torch.tensor(x), dtype=torch.float64))
    x = ml.tensor([1.0, 2.0], requires_grad=True)
    total = x.sum(dtype="float64")
    total.backward()
    assert total.dtype == "float64" and x.grad.dtype == "float32"


@given(case=some_dims(), keepdim=st.booleans(), seed=SEEDS,
       correction=st.sampled_from([0, 1, 2, 0.5]),
       name=st.sampled_from(["var", "std", "var_mean", "std_mean"]), dtype=FLOATS)
def test_variance(case, keepdim, seed, correction, name, dtype):
    shape, dim = case
    x = normal(shape, dtype, seed)
    count = x.size / max(x.sum(axis=dim if dim != () and shape else None).size, 1)
    # Nothing may be left to divide by; and torch's own gradient for dim=() is wrong.
    order = 2 if count > correction + 1 and dim != () else 0
    agree(getattr(ml, name), quietly(getattr(torch, name)), x, dim, correction=correction,
          keepdim=keepdim, order=order, reduction=64)


def test_forms_of_variance():
    x = normal((3, 4), "float64", 0)
    for name in ("var", "std", "var_mean", "std_mean"):
        ours, theirs = getattr(ml, name), getattr(torch, name)
        for args in ((), (False,), (True,), (0,), (0, False), (1, True, True),
                     ([0, 1], False, True)):
            agree(ours, theirs, x, *args)
        agree(ours, theirs, x, unbiased=False)
        both_raise(ours, theirs, x, 0, unbiased=False, correction=1, match=name)
        both_raise(ours, theirs, np.array([1, 2]), match=name)


def test_std_and_norm_are_flat_at_zero():
    agree(ml.std, torch.std, np.zeros(3), order=1)
    for p in (2, 3, 1.5, 1, 0.5, float("inf"), "fro"):
        agree(ml.norm, torch.norm, np.zeros(3), p, order=1)


# ---------------------------------------------------------------- products and running sums


@given(case=one_dim(), keepdim=st.booleans(), seed=SEEDS, dtype=NUMBERS)
def test_prod(case, keepdim, seed, dtype):
    shape, dim = case
    x = whole(shape, dtype, seed)  # zeros are frequent
    agree(ml.prod, torch.prod, x, dim, keepdim, reduction=16)
    agree(ml.prod, torch.prod, x, reduction=64)


@given(case=one_dim(), seed=SEEDS, dtype=NUMBERS)
def test_running_sums_and_products(case, seed, dtype):
    shape, dim = case
    x = whole(shape, dtype, seed)
    agree(ml.cumsum, torch.cumsum, x, dim, reduction=4)
    if 0 not in x:  # with zeros, torch's own second derivative is nan
        agree(ml.cumprod, torch.cumprod, x, dim, reduction=64)
    agree(ml.cumprod, torch.cumprod, x, dim, reduction=64, order=1)


def test_cumprod_with_zeros_to_second_order():
    x = ml.tensor([2.0, 0.0, 3.0, 0.0], requires_grad=True)
    (g,) = ml.grad(x.cumprod(0)[2], x, create_graph=True)
    assert g.tolist() == [0.0, 6.0, 0.0, 0.0]
    (h,) = ml.grad(g[1], x)
    assert h.tolist() == [3.0, 0.0, 2.0, 0.0]


# ---------------------------------------------------------------- logsumexp and norms


@given(case=some_dims(), keepdim=st.booleans(), seed=SEEDS, dtype=FLOATS)
def test_logsumexp(case, keepdim, seed, dtype):
    shape, dim = case
    if dim in (None, ()):
        return
    x = np.asarray(normal(shape, dtype, seed) * 3)
    agree(ml.logsumexp, torch.logsumexp, x, dim, keepdim, reduction=8)


def test_logsumexp_of_extremes():
    inf = float("inf")
    agree(ml.logsumexp, torch.logsumexp, np.array([1e4, 1e4, -1e4]), 0)
    agree(ml.logsumexp, torch.logsumexp, np.array([-inf, 0.0, 1.0]), 0, order=1)
    agree(ml.logsumexp, torch.logsumexp, np.array([-inf, -inf]), 0, order=0)
    agree(ml.logsumexp, torch.logsumexp, np.array([inf, 1.0]), 0, order=0)
    agree(ml.logsumexp, torch.logsumexp, np.array([1, 2]), 0)


@given(case=some_dims(SOLID), keepdim=st.booleans(), seed=SEEDS, dtype=FLOATS,
       p=st.sampled_from(["fro", 2, 1, 3, 0.5, 1.5, 2.5, 0, -1, -2.0, float("inf"), -float("inf")]))
def test_norm(case, keepdim, seed, dtype, p):
    shape, dim = case
    x = normal(shape, dtype, seed)
    x = np.asarray(x + np.where(abs(x) < 0.1, 0.2, 0), dtype)
    if p == "fro" and isinstance(dim, tuple) and len(dim) > 2:
        both_raise(ml.norm, torch.norm, x, p, dim, match="norm")
        return
    agree(ml.norm, torch.norm, x, p, dim, keepdim, reduction=512)


@pytest.mark.parametrize("p", [2, 3, 1, float("inf")])
def test_norm_of_integers_with_zeros_and_ties(p):
    agree(ml.norm, torch.norm, np.array([0.0, 2.0, -2.0, 1.0]), p)


def test_norm_raises():
    both_raise(ml.norm, torch.norm, np.array([1, 2]), match="norm")
    both_raise(ml.norm, torch.norm, np.array([1.0]), "nuc", match="norm")
    both_raise(ml.norm, torch.norm, np.ones((0,)), float("inf"))


# ---------------------------------------------------------------- the largest and the smallest


@given(case=some_dims(SOLID), keepdim=st.booleans(), seed=SEEDS, dtype=NUMBERS)
def test_amax_shares_among_ties(case, keepdim, seed, dtype):
    shape, dim = case
    x = whole(shape, dtype, seed)
    for name in ("amax", "amin"):
        if dim is not None:
            agree(getattr(ml, name), getattr(torch, name), x, dim, keepdim)
        agree(getattr(ml, name), getattr(torch, name), x)


@given(case=one_dim(SOLID), keepdim=st.booleans(), seed=SEEDS, dtype=NUMBERS)
def test_max_in_three_forms(case, keepdim, seed, dtype):
    shape, dim = case
    x, y = whole(shape, dtype, seed), whole(shape, dtype, seed + 1)
    for name in ("max", "min"):
        ours, theirs = getattr(ml, name), getattr(torch, name)
        agree(ours, theirs, x)
        agree(ours, theirs, x, dim, keepdim)
        agree(ours, theirs, x, dim=dim)
        agree(ours, theirs, x, y)
        assert ours(ml.tensor(x), dim)._fields == ("values", "indices")


@given(case=one_dim(SOLID), keepdim=st.booleans(), seed=SEEDS, dtype=NUMBERS)
def test_argmax(case, keepdim, seed, dtype):
    shape, dim = case
    if dtype == "bool":
        both_raise(ml.argmax, torch.argmax, whole(shape, dtype, seed), match="argmax")
        return
    x = whole(shape, dtype, seed)
    for name in ("argmax", "argmin"):
        agree(getattr(ml, name), getattr(torch, name), x, dim, keepdim)
        agree(getattr(ml, name), getattr(torch, name), x)
        agree(getattr(ml, name), getattr(torch, name), x, keepdim=keepdim)


def test_nan_is_the_largest():
    x = np.array([1.0, np.nan, 3.0])
    for name in ("amax", "amin", "max", "min", "argmax", "argmin"):
        agree(getattr(ml, name), getattr(torch, name), x, order=0)
    for descending in (False, True):
        agree(ml.sort, torch.sort, x, descending=descending, order=0)


def test_maxima_of_nothing():
    x = np.ones((0, 3))
    for name in ("amax", "amin", "argmax", "max", "min"):
        ours, theirs = getattr(ml, name), getattr(torch, name)
        agree(ours, theirs, x, 1)
        both_raise(ours, theirs, x, 0)
        if name != "argmax":
            both_raise(ours, theirs, x)
    both_raise(ml.argmax, torch.argmax, x)


# ---------------------------------------------------------------- in order


@given(case=one_dim(), descending=st.booleans(), seed=SEEDS, dtype=NUMBERS)
def test_sort_is_stable(case, descending, seed, dtype):
    shape, dim = case
    x = whole(shape, dtype, seed)
    agree(lambda x: ml.sort(x, dim, descending, stable=True),
          lambda x: torch.sort(x, dim=dim, descending=descending, stable=True), x)
    agree(ml.argsort, lambda x, **k: torch.argsort(x, stable=True, **k), x, dim=dim,
          descending=descending)


@given(case=one_dim(SOLID), largest=st.booleans(), seed=SEEDS, dtype=FLOATS, data=st.data())
def test_topk(case, largest, seed, dtype, data):
    shape, dim = case
    k = data.draw(st.integers(0, shape[dim] if shape else 1))
    x = distinct(shape, dtype, seed)
    if k or shape:
        agree(ml.topk, torch.topk, x, k, dim, largest)
    both_raise(ml.topk, torch.topk, x, (shape[dim] if shape else 1) + 1, dim, match="topk")


@given(case=one_dim(SOLID), keepdim=st.booleans(), seed=SEEDS)
def test_median(case, keepdim, seed):
    shape, dim = case
    x = distinct(shape, "float64", seed)
    agree(ml.median, torch.median, x)
    agree(ml.median, torch.median, x, dim, keepdim)


@given(shape=hnp.array_shapes(min_dims=2, max_dims=2, max_side=30), seed=SEEDS, dtype=FLOATS)
def test_which_of_equals_is_named(shape, seed, dtype):
    x = whole(shape, dtype, seed)  # of the unstable sort, argsort and topk torch promises nothing
    for name in ("median", "max", "min", "argmax", "argmin"):
        agree(getattr(ml, name), getattr(torch, name), x, 1)


# ---------------------------------------------------------------- counting


@given(case=some_dims(), keepdim=st.booleans(), seed=SEEDS, dtype=NUMBERS)
def test_counting(case, keepdim, seed, dtype):
    shape, dim = case
    x = whole(shape, dtype, seed, 0, 2)
    for name in ("any", "all"):
        agree(getattr(ml, name), getattr(torch, name), x)
        if dim is not None:
            agree(getattr(ml, name), getattr(torch, name), x, dim, keepdim)
    agree(ml.count_nonzero, torch.count_nonzero, x, dim)


# ---------------------------------------------------------------- errors


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize("dim", [2, -3, (0, 0), (0, -2), 0.5, "x", (0, 2)])
def test_a_wrong_dimension_raises(name, dim):
    arguments = {"norm": (2,)}.get(name, ())
    both_raise(getattr(ml, name), getattr(torch, name), np.ones((2, 3)), *arguments, dim=dim)


@pytest.mark.parametrize("name", ["prod", "cumsum", "cumprod", "max", "argmax", "sort", "argsort",
                                  "median"])
@pytest.mark.parametrize("dim", [2, -3, 0.5, "x"])
def test_a_wrong_single_dimension_raises(name, dim):
    both_raise(getattr(ml, name), getattr(torch, name), np.ones((2, 3)), dim=dim)


@pytest.mark.parametrize("name", ["sum", "mean", "var", "amax", "max", "prod", "norm", "sort",
                                  "cumsum"])
def test_wrong_arguments_raise(name):
    ours, theirs = getattr(ml, name), getattr(torch, name)
    both_raise(ours, theirs, [1.0])
    both_raise(ours, theirs, np.ones(3), 0, colour="red")
    if name == "mean":
        both_raise(ours, theirs, np.array([1, 2]), match="mean")
    if name in ("cumsum",):
        both_raise(ours, theirs, np.ones(3))


def test_logsumexp_needs_a_dimension():
    both_raise(ml.logsumexp, torch.logsumexp, np.ones(3))


# ---------------------------------------------------------------- other libraries


@pytest.mark.parametrize("name", ["sum", "mean", "prod", "cumsum", "cumprod", "var", "std"])
def test_infinities_meet_in_silence(name):
    x = np.array([[np.inf, 1.0], [-np.inf, 2.0], [0.0, np.nan]])
    agree(getattr(ml, name), getattr(torch, name), x, 0, order=0)


@pytest.mark.parametrize("dtype", ["int32", "float64", "bool"])
def test_a_sum_has_the_dtype_asked_for(dtype):
    theirs = getattr(torch, dtype)
    for x in (np.array([[3, -4], [0, 0]]), np.array([[True, False], [True, True]])):
        got, want = ml.tensor(x).sum(1, dtype=dtype), torch.tensor(x).sum(1, dtype=theirs)
        close(got, want)
        if dtype != "bool":
            close(ml.cumsum(ml.tensor(x), 0, dtype=dtype), torch.tensor(x).cumsum(0, dtype=theirs))


def test_median_of_nan_and_of_nothing():
    x = np.array([[1.0, np.nan, 0.0, np.nan], [3.0, 2.0, 1.0, 0.0]])
    for args in ((1,), (0,), (1, True)):
        agree(lambda x, a=args: tuple(ml.median(x, *a)),
              lambda x, a=args: tuple(torch.median(x, *a)), x, order=1)
    agree(ml.median, torch.median, x, order=0)
    both_raise(ml.median, torch.median, x[:0], 0, match="nothing along")
    for function in ("median", "topk"):
        both_raise(getattr(ml, function), getattr(torch, function), x > 0, 1, match="truth values")


@pytest.mark.parametrize("name", ["max", "min", "median", "prod"])
def test_keepdim_needs_a_dim(name):
    x = np.array([[1.0, 2.0]])
    both_raise(getattr(ml, name), getattr(torch, name), x, keepdim=True)


@pytest.mark.parametrize("name", ["sum", "argmax", "cumsum", "sort", "max"])
def test_a_truth_value_is_no_dimension(name):
    both_raise(getattr(ml, name), getattr(torch, name), np.array([[1.0, 2.0]]), True)




@pytest.mark.parametrize("library", ["array_api_strict", "torch:cpu"])
def test_on_other_libraries(library):
    before = xp.library()
    xp.use(library)
    try:
        x = distinct((3, 4), "float64", 0) + 0.5
        for name in ("sum", "mean", "var", "std", "amax", "amin", "prod", "norm", "max", "min",
                     "argmax", "count_nonzero", "any", "all", "median"):
            agree(getattr(ml, name), getattr(torch, name), x)
        for name in ("sum", "mean", "var", "std", "amax", "prod", "max", "argmax", "cumsum", "sort",
                     "cumprod", "logsumexp", "topk", "median", "any"):
            extra = (2,) if name == "topk" else ()
            agree(getattr(ml, name), getattr(torch, name), x, *extra, dim=-1)
        agree(ml.sum, torch.sum, whole((2, 3), "int32", 0), (0, 1))
    finally:
        xp.use(before)
