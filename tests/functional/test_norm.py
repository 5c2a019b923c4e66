"""Normalisations against torch: statistics, running statistics, empty inputs, and errors."""

import numpy as np
import pytest
import torch.nn.functional as T
from against_torch import agree, both_raise, close, ours, theirs
from hypothesis import given, settings
from hypothesis import strategies as st

import minilearn.functional as F
from minilearn import xp
from minilearn.ops.norm import moments

seeds = st.integers(0, 10**6)
kinds = st.sampled_from(["float32", "float64"])
epsilons = st.sampled_from([1e-5, 1e-2, 1.0])


def pair(name):
    return getattr(F, name), getattr(T, name)


def normal(seed, shape, dtype="float64"):
    return np.asarray(np.random.default_rng(seed).standard_normal(shape), dtype)


@st.composite
def images(draw, least=1):
    """(N, C, ...) with more than one value per channel in every example, and four vectors (C,)."""
    spread = st.integers(1, 4)
    places = draw(st.lists(spread, min_size=least, max_size=3))
    if places:
        places[-1] += 1
    shape, seed, dtype = (draw(spread), draw(spread), *places), draw(seeds), draw(kinds)
    vectors = [normal(seed + i, shape[1], dtype) for i in range(4)]
    return normal(seed, shape, dtype) * 2 + 1, vectors


def with_stats(name, mean, var, **options):
    """Both functions returning their output and the running statistics they leave behind."""
    def ours_too(*tensors):
        stats = [None if s is None else ours(s) for s in (mean, var)]
        return getattr(F, name)(tensors[0], *stats, *tensors[1:], **options), *without_none(stats)

    def theirs_too(*tensors):
        stats = [None if s is None else theirs(s) for s in (mean, var)]
        return getattr(T, name)(tensors[0], *stats, *tensors[1:], **options), *without_none(stats)

    return ours_too, theirs_too


def without_none(values):
    return [v for v in values if v is not None]


# ---------------------------------------------------------------- batch norm


@settings(max_examples=50)
@given(case=images(0), n=st.integers(2, 4), training=st.booleans(), tracked=st.booleans(),
       weighted=st.booleans(), shifted=st.booleans(), eps=epsilons,
       momentum=st.sampled_from([0.0, 0.1, 0.7, 1.0]))
def test_batch_norm(case, n, training, tracked, weighted, shifted, eps, momentum):
    x, (weight, bias, mean, var) = case
    x = np.concatenate([x + i * i for i in range(n)])
    mean, var = (mean, abs(var) + 0.1) if tracked or not training else (None, None)
    both = with_stats("batch_norm", mean, var, training=training, eps=eps, momentum=momentum)
    bias = bias if shifted else None
    order = 1 if shifted and not weighted else 2  # torch cannot do the second order of these
    agree(*both, x, weight if weighted else None, bias, reduction=16 * x.size, order=order)


def test_batch_norm_in_eval_leaves_the_statistics_alone():
    mean, var = ours(np.zeros(3)), ours(np.ones(3))
    F.batch_norm(ours(normal(0, (4, 3))), mean, var)
    assert mean.tolist() == [0, 0, 0] and var.tolist() == [1, 1, 1]


def test_running_statistics_hold_no_history():
    mean, var = ours(np.zeros(3)), ours(np.ones(3))
    x = ours(normal(0, (4, 3)), requires_grad=True)
    F.batch_norm(x, mean, var, training=True)
    assert not mean.requires_grad and not var.requires_grad


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("shape", [(0, 3), (0, 3, 2), (2, 3, 0)])
def test_batch_norm_of_nothing(shape, training):
    vectors = np.zeros(shape[1]), np.ones(shape[1])
    both = with_stats("batch_norm", *vectors, training=training)
    agree(*both, np.zeros(shape), vectors[1], vectors[0], gradient=False)


def test_batch_norm_refuses():
    both, x, zeros, ones = pair("batch_norm"), normal(0, (4, 3)), np.zeros(3), np.ones(3)
    both_raise(*both, zeros, zeros, ones, match="(N, C, ...)")
    both_raise(*both, x, None, None, match="running_mean")
    both_raise(*both, x, zeros, None, match="running_var")
    both_raise(*both, x, zeros, None, training=True, match="running_var")
    both_raise(*both, x, None, ones, training=True, match="running_mean")
    both_raise(*both, x, np.zeros(4), np.ones(4), match="running_mean=(4,)")
    both_raise(*both, x, zeros, np.ones(4), training=True, match="running_var=(4,)")
    both_raise(*both, x, zeros, ones, np.ones(4), match="weight=(4,)")
    both_raise(*both, x, zeros, ones, None, np.ones(1), match="bias=(1,)")
    both_raise(*both, x.astype("float32"), *(v.astype("float32") for v in (zeros, ones)), ones,
               match="weight=(3,) float64")
    both_raise(*both, x.astype("float32"), zeros, ones, match="running_mean=(3,) float64")
    both_raise(*both, x.astype("int64"), zeros, ones, match="int64")
    for one in ((1, 3), (1, 3, 1, 1)):
        both_raise(*both, np.ones(one), zeros, ones, training=True, match="more than one value")
    both_raise(*both, x, zeros, ones, training=True, eps=0.0, match="eps=0.0")
    both_raise(*both, x, zeros, ones, eps=-1.0, match="eps=-1.0")
    both_raise(*both, x, zeros, ones, training=True, momentum=None)
    both_raise(*both, x, zeros, ones, unknown=1)


# ---------------------------------------------------------------- instance norm


@settings(max_examples=50)
@given(case=images(1), from_input=st.booleans(), tracked=st.booleans(), weighted=st.booleans(),
       shifted=st.booleans(), eps=epsilons, momentum=st.sampled_from([0.0, 0.1, 1.0]))
def test_instance_norm(case, from_input, tracked, weighted, shifted, eps, momentum):
    x, (weight, bias, mean, var) = case
    mean, var = (mean, abs(var) + 0.1) if tracked or not from_input else (None, None)
    both = with_stats("instance_norm", mean, var, use_input_stats=from_input, eps=eps,
                      momentum=momentum)
    bias = bias if shifted else None
    order = 1 if shifted and not weighted else 2  # torch cannot do the second order of these
    agree(*both, x, weight if weighted else None, bias, reduction=16 * x.size, order=order)


def test_instance_norm_refuses():
    both, x, zeros, ones = pair("instance_norm"), normal(0, (2, 3, 4)), np.zeros(3), np.ones(3)
    agree(*both, normal(0, (0, 3, 4)))
    agree(*both, normal(0, (2, 3, 0)))
    agree(*both, x[:, :, :1], zeros, ones, use_input_stats=False, order=0, gradient=False)
    for shape in ((3,), (3, 4), (2, 3, 1), (2, 3, 1, 1)):
        both_raise(*both, np.ones(shape), match="instance_norm:")
    both_raise(*both, x, use_input_stats=False, match="running_mean")
    both_raise(*both, x, zeros, None, match="running_var")
    both_raise(*both, x, np.zeros(4), np.ones(4), match="running_mean=(4,)")
    both_raise(*both, x, weight=np.ones(4), match="weight=(4,)")
    both_raise(*both, x, bias=np.ones(4), match="bias=(4,)")
    both_raise(*both, x, weight=ones.astype("float32"), match="weight=(3,) float32")
    both_raise(*both, x.astype("int64"), match="int64")


# ---------------------------------------------------------------- layer, rms and group norm


@settings(max_examples=50)
@given(data=st.data(), seed=seeds, dtype=kinds, weighted=st.booleans(), shifted=st.booleans(),
       shape=st.lists(st.integers(0, 4), min_size=1, max_size=4), eps=epsilons)
def test_layer_norm_and_rms_norm(data, seed, dtype, weighted, shifted, shape, eps):
    last = shape[data.draw(st.integers(0, len(shape) - 1)):]
    x, bias = normal(seed, shape, dtype), normal(seed + 2, last, dtype)
    weight = normal(seed + 1, last, dtype) if weighted else None
    order = 1 if shifted and not weighted else 2  # torch cannot do the second order of these
    agree(*pair("layer_norm"), x, last, weight, bias if shifted else None, eps, reduction=256,
          order=order)
    agree(*pair("rms_norm"), x, tuple(last), weight, eps, reduction=256)


def test_rms_norm_by_itself_chooses_eps():
    for dtype in ("float32", "float64"):
        agree(*pair("rms_norm"), normal(0, (3, 4), dtype) * 1e-4, (4,), order=1, rtol=1e-5)


@pytest.mark.parametrize("name", ["layer_norm", "rms_norm"])
def test_layer_norm_refuses(name):
    both, x = pair(name), normal(0, (4, 3))
    both_raise(*both, x, 3, match="normalized_shape")
    both_raise(*both, x, [4], match="normalized_shape=(4,)")
    both_raise(*both, x, [], match="normalized_shape=()")
    both_raise(*both, x[0], [4, 3], match="normalized_shape=(4, 3)")
    both_raise(*both, x, [3], np.ones(4), match="weight=(4,)")
    both_raise(*both, x, [4, 3], np.ones(3), match="weight=(3,)")
    both_raise(*both, np.array(1.0), [])
    both_raise(*both, x.astype("int64"), [3], match="int64")
    if name == "layer_norm":
        both_raise(*both, x, [3], np.ones(3, "float32"), match="weight=(3,) float32")
        both_raise(*both, x, [3], None, np.ones(2), match="bias=(2,)")


@settings(max_examples=50)
@given(case=images(0), groups=st.integers(1, 3), weighted=st.booleans(), shifted=st.booleans(),
       eps=epsilons)
def test_group_norm(case, groups, weighted, shifted, eps):
    x, vectors = case
    channels = np.arange(2 * groups)  # two at least in each group
    x = np.concatenate([x * (1 + i) + i * i for i in channels], 1)
    weight, bias = (np.concatenate([v + i for i in channels]) for v in vectors[:2])
    weight, bias = weight if weighted else None, bias if shifted else None
    order = 0 if shifted and not weighted else 2  # torch cannot differentiate these
    agree(*pair("group_norm"), x, groups, weight, bias, eps, reduction=16 * x.size, order=order)


def test_group_norm_of_one_value_is_its_bias():
    agree(*pair("group_norm"), normal(0, (2, 6)), 6, np.ones(6), normal(1, 6), order=1)


def test_group_norm_refuses():
    both, x = pair("group_norm"), normal(0, (2, 6, 3))
    for shape in ((0, 6, 3), (2, 6, 0), (2, 0, 3)):
        agree(*both, np.zeros(shape), 3, order=1)
    both_raise(*both, x, 4, match="num_groups=4")
    both_raise(*both, x, 0, match="num_groups=0")
    both_raise(*both, x, -1, match="num_groups=-1")
    both_raise(*both, np.ones(6), 3, match="(N, C, ...)")
    both_raise(*both, np.ones((1, 6)), 6, match="more than one value")
    both_raise(*both, x, 3, np.ones(3), match="weight=(3,)")
    both_raise(*both, x, 3, None, np.ones(3), match="bias=(3,)")
    both_raise(*both, x, 3, np.ones(6, "float32"), match="weight=(6,) float32")
    both_raise(*both, x.astype("int64"), 3, match="int64")


# ---------------------------------------------------------------- normalize


@settings(max_examples=40)
@given(data=st.data(), seed=seeds, dtype=kinds, eps=st.sampled_from([1e-12, 0.7]),
       shape=st.lists(st.integers(1, 4), min_size=1, max_size=3),
       p=st.sampled_from([1, 2, 2.0, 3, 0.5, np.inf, -np.inf]))
def test_normalize(data, seed, dtype, eps, shape, p):
    n = len(shape)
    dim = data.draw(st.integers(-n, n - 1) | st.none() | st.permutations(range(n)).map(tuple))
    x = normal(seed, shape, dtype)
    x = x + 0.3 * np.sign(x)  # not too short: derivatives grow with 1 / length
    agree(*pair("normalize"), x, p, dim, eps, reduction=64)


def test_normalize_corners():
    both = pair("normalize")
    agree(*both, np.zeros((2, 3)), order=1)
    agree(*both, np.zeros((0, 3)))
    both_raise(*both, np.array(1.0), match="dim")
    both_raise(*both, np.ones(3), match="dim")
    both_raise(*both, np.ones((2, 3)), dim=5, match="dim")
    both_raise(*both, np.ones((2, 3), "int64"), match="int64")


def test_close_is_not_blind():
    """The comparison these tests rest on sees a running variance that forgot the correction."""
    x = normal(0, (4, 3))
    mean, var = ours(np.zeros(3)), ours(np.ones(3))
    F.batch_norm(ours(x), mean, var, training=True, momentum=1.0)
    with pytest.raises(AssertionError):
        close(var, theirs(x.var(0)))
    close(var, theirs(x.var(0, ddof=1)), rtol=1e-10)


def test_instance_norm_takes_any_eps():
    agree(F.instance_norm, T.instance_norm, normal(0, (2, 3, 5)), eps=0.0)


@pytest.mark.parametrize("far", [0, 3, 1000])  # in one pass, and around the mean
def test_moments_keep_their_digits(far):
    """The mean square less the squared mean would leave nothing of a variance of 1 beside 1000."""
    x = normal(0, (64, 3, 9, 9), "float32") * np.float32(0.25) + np.float32(far)
    mean, var = (xp.to_numpy(m) for m in moments(xp.array(x)))
    exact = x.astype("float64")
    np.testing.assert_allclose(mean, exact.mean((0, 2, 3)), rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(var, exact.var((0, 2, 3)), rtol=1e-5)
    assert mean.dtype == var.dtype == np.float32
