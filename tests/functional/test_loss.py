"""Losses against torch: every reduction, weights, corners, extreme numbers, and errors."""

import numpy as np
import pytest
import torch.nn.functional as T
from against_torch import agree, both_raise, ours, theirs
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import minilearn.functional as F
from minilearn.errors import DimError, ShapeError

seeds = st.integers(0, 10**6)
kinds = st.sampled_from(["float32", "float64"])
shapes = st.lists(st.integers(0, 4), max_size=3).map(tuple)
reductions = st.sampled_from(["none", "mean", "sum"])
DISTANCES = {
    "mse_loss": {},
    "l1_loss": {},
    "smooth_l1_loss": {"beta": st.sampled_from([0.0, 0.5, 1.0, 2])},
    "huber_loss": {"delta": st.sampled_from([0.5, 1.0, 2])},
}
WEIGHTED = ["mse_loss", "l1_loss", "huber_loss"]


def pair(name):
    return getattr(F, name), getattr(T, name)


def normal(seed, shape, dtype="float64"):
    return np.asarray(np.random.default_rng(seed).standard_normal(shape), dtype)


# Of the mean of nothing, which is nan, torch says that the second derivative is 0: hence the
# `order=2 if x.size else 1` below.


def uniform(seed, shape, dtype="float64", low=0.05, high=0.95):
    return np.asarray(np.random.default_rng(seed).uniform(low, high, shape), dtype)


def fixed(name, **options):
    """Both functions with options given; arrays among them do not require a gradient."""
    def filled(function, make):
        given = {k: make(v) if isinstance(v, np.ndarray) else v for k, v in options.items()}
        return lambda *tensors, **more: function(*tensors, **given, **more)
    return filled(getattr(F, name), ours), filled(getattr(T, name), theirs)


# ---------------------------------------------------------------- distances


@pytest.mark.parametrize("name", DISTANCES)
@settings(max_examples=30)
@given(data=st.data(), seed=seeds, shape=shapes, dtype=kinds, reduction=reductions)
def test_distance(name, data, seed, shape, dtype, reduction):
    x, y = normal(seed, shape, dtype), normal(seed + 1, shape, dtype)
    if seed % 2:  # differences of exactly 0, beta and delta
        x, y = np.asarray(np.round(2 * x)), np.asarray(np.round(y))
    options = {k: data.draw(s, k) for k, s in DISTANCES[name].items() if data.draw(st.booleans())}
    agree(*fixed(name, reduction=reduction, **options), x, y, order=2 if x.size else 1)


@pytest.mark.parametrize("name", WEIGHTED)
@settings(max_examples=20)
@given(seed=seeds, shape=shapes, dtype=kinds, reduction=reductions)
def test_weighted_distance(name, seed, shape, dtype, reduction):
    x, y = normal(seed, shape, dtype), normal(seed + 1, shape, dtype)
    both = fixed(name, reduction=reduction)
    agree(*both, x, y, weight=uniform(seed + 2, shape, dtype, 0.5, 2), order=2 if x.size else 1)


@pytest.mark.parametrize("name", DISTANCES)
def test_distance_of_mixed_dtypes(name):
    agree(*pair(name), np.array([1.0, 2]), np.array([3, 1]), order=0)
    if name != "huber_loss":
        agree(*pair(name), np.array([3, 1]), np.array([1.0, 2.5], "float32"), order=1)
        agree(*pair(name), np.array([1.0, 2]), np.array([3.0, 1.5], "float32"), order=1)
    both_raise(*pair(name), np.array([3, 1]), np.array([1, 1]))


@pytest.mark.parametrize("name", DISTANCES)
def test_distance_refuses(name):
    x = np.ones((4, 3))
    # Where shapes differ torch warns and broadcasts: to learners that is an error.
    for target in (np.ones(3), np.ones((4, 1)), np.array(1.0)):
        with pytest.raises(ShapeError, match=r"input=\(4, 3\)"):
            pair(name)[0](ours(x), ours(target))
    both_raise(*pair(name), x, np.ones((4, 2)), match=f"{name}:")
    both_raise(*pair(name), x, x, reduction="avg", match="reduction='avg'")
    both_raise(*pair(name), x, 1.0, match="target")
    both_raise(*pair(name), x, x, size=3)
    for weight in (np.ones(3), np.ones((4, 2))):
        both_raise(*pair(name), x, x, weight=weight)
    with pytest.raises(TypeError):  # torch's old names for `reduction` are left out
        pair(name)[0](ours(x), ours(x), size_average=True)


def test_limits_of_the_rounding():
    x = np.ones(2)
    both_raise(F.smooth_l1_loss, T.smooth_l1_loss, x, x, beta=-1.0, match="beta=-1.0")
    both_raise(F.huber_loss, T.huber_loss, x, x, delta=0, match="delta=0")
    both_raise(F.huber_loss, T.huber_loss, x, x, delta=-1.0, match="delta=-1.0")


# ---------------------------------------------------------------- yes or no


@st.composite
def cases(draw, low=0.05, high=0.95):
    """A shape, two arrays of it, and a weight that broadcasts to it."""
    shape, dtype, seed = draw(shapes), draw(kinds), draw(seeds)
    own = [draw(st.sampled_from([1, n])) for n in shape][draw(st.integers(0, len(shape))):]
    arrays = uniform(seed, shape, dtype, low, high), uniform(seed + 1, shape, dtype, 0, 1)
    return (*arrays, uniform(seed + 2, own, dtype, 0.1, 3))


@settings(max_examples=40)
@given(case=cases(), weighted=st.booleans(), reduction=reductions)
def test_binary_cross_entropy(case, weighted, reduction):
    p, target, weight = case
    options = {"reduction": reduction} | ({"weight": weight} if weighted else {})
    # torch adds 1e-12 to p and to 1 - p in its second derivative; where terms cancel, it shows.
    rtol = 1e-8 if p.dtype == np.float64 else None
    agree(*fixed("binary_cross_entropy", **options), p, target, order=2 if p.size else 1, rtol=rtol)


@settings(max_examples=40)
@given(case=cases(-5, 5), weighted=st.booleans(), pos=st.booleans(), reduction=reductions)
def test_binary_cross_entropy_with_logits(case, weighted, pos, reduction):
    x, target, weight = case
    options = {"reduction": reduction} | ({"weight": weight} if weighted else {})
    options |= {"pos_weight": weight} if pos else {}
    agree(*fixed("binary_cross_entropy_with_logits", **options), x, target,
          order=2 if x.size else 1)


def test_certain_and_wrong():
    p, target = np.array([0.0, 0, 0, 1, 1, 1]), np.array([0.0, 0.5, 1, 0, 0.5, 1])
    agree(*pair("binary_cross_entropy"), p, target, order=1, rtol=1e-8)  # torch's 1e-12 is float32
    x = np.array([-1e4, -800, -50, 0, 50, 800, 1e4])
    for y in (0.0, 0.3, 1.0):
        agree(*pair("binary_cross_entropy_with_logits"), x, np.full(7, y), reduction=1)


@pytest.mark.parametrize("name", ["binary_cross_entropy", "binary_cross_entropy_with_logits"])
def test_yes_or_no_refuses(name):
    x, f32 = np.full((4, 3), 0.5), np.full((4, 3), 0.5, "float32")
    for target in (x[0], x[:, :2], x[:, :1]):
        both_raise(*pair(name), x, target, match="input=(4, 3)")
    both_raise(*pair(name), x, 1.0, match="target")
    both_raise(*pair(name), x, x, reduction="avg", match="avg")
    both_raise(*pair(name), x, x, weight=np.ones(4), match="weight=(4,)")
    both_raise(*pair(name), x, x, weight=np.ones((2, 4, 3)), match="weight=(2, 4, 3)")
    both_raise(*pair(name), np.ones(3, "int64"), np.ones(3), match="int64")
    both_raise(*pair(name), f32[0], np.ones(3, "int64"), match="int64")
    if name == "binary_cross_entropy":
        both_raise(*pair(name), f32, x, match="dtype")
        for bad in (1.1, -0.1, np.nan):
            both_raise(*pair(name), x * 0 + bad, x, match="input must lie between 0 and 1")
        both_raise(*pair(name), x, x + 1, match="target must lie between 0 and 1")
    else:
        both_raise(*pair(name), x, x, pos_weight=np.ones(4), match="pos_weight=(4,)")


# ---------------------------------------------------------------- distributions and directions


@settings(max_examples=40)
@given(case=cases(), reduction=st.sampled_from(["none", "mean", "sum", "batchmean"]),
       log=st.booleans(), narrow=st.booleans())
@pytest.mark.filterwarnings("ignore:reduction")  # torch announces another meaning of "mean"
def test_kl_div(case, reduction, log, narrow):
    p, target, other = case
    target = other if narrow else target  # the two broadcast
    assume(not (reduction == "batchmean" and p.shape[:1] == (0,)))
    both = fixed("kl_div", reduction=reduction, log_target=log)
    agree(*both, np.asarray(np.log(p)), np.asarray(np.log(target + 0.1)) if log else target,
          order=2 if p.size else 1, reduction=1 + p.size)


def test_kl_div_corners():
    x, target = np.log([0.25, 0.5, 0.25]), np.array([0.0, 1.0, 0.0])
    agree(*fixed("kl_div", target=target, reduction="sum"), x)
    agree(*fixed("kl_div", reduction="none"), x, np.array([-1.0, np.nan, 0]), order=0)
    both_raise(*pair("kl_div"), x, target[:2], reduction="sum")
    both_raise(*pair("kl_div"), x, np.ones(3, "int64"), reduction="sum", match="target")
    both_raise(*pair("kl_div"), x, target, reduction="max", match="batchmean")


@settings(max_examples=40)
@given(data=st.data(), seed=seeds, dtype=kinds,
       shape=st.lists(st.integers(1, 4), min_size=1, max_size=3))
def test_cosine_similarity(data, seed, dtype, shape):
    dim = data.draw(st.integers(-len(shape), len(shape) - 1))
    sides = [[data.draw(st.sampled_from([1, n])) for n in shape] for _ in range(2)]
    sides[0] = shape
    # Not too short: the second derivative grows with 1 / length**2.
    x1, x2 = (uniform(seed + i, side, dtype, 0.5, 2) for i, side in enumerate(sides))
    x1, x2 = x1 * np.sign(normal(seed, shape, dtype)), np.asarray(-x2)
    x2 = np.asarray(x2[0]) if sides[1][0] == 1 and data.draw(st.booleans()) else x2
    eps = data.draw(st.sampled_from([1e-8, 0.5, 3.0]))
    agree(*pair("cosine_similarity"), x1, x2, dim=dim, eps=eps, reduction=16)


def test_cosine_similarity_corners():
    both = pair("cosine_similarity")
    agree(*both, np.array([[0.0, 0], [1, 0]]), np.ones((2, 2)), order=1)
    agree(*both, np.ones((2, 3)), np.ones((2, 3), "float32"), order=0, rtol=1e-6)
    agree(*both, np.ones((4, 0)), np.ones((4, 0)))
    both_raise(*both, np.ones(3), np.ones(3), match="dim=1")
    both_raise(*both, np.ones((4, 3)), np.ones((4, 3)), dim=5, match="dim=5")
    both_raise(*both, np.ones((4, 3)), np.ones(2))
    both_raise(*both, np.ones((2, 2), "int64"), np.ones((2, 2), "int64"), match="floating")
    both_raise(*both, np.ones((2, 2)), np.ones((2, 2)), eps=-1.0, match="eps")


# ---------------------------------------------------------------- a choice among classes


@st.composite
def choices(draw, soft=False):
    """Scores, class numbers (or probabilities) and options, in all the shapes torch takes."""
    classes, batched = draw(st.integers(1, 5)), draw(st.booleans())
    places = tuple(draw(st.lists(st.integers(1, 3), min_size=1, max_size=3))) if batched else ()
    shape = (*places[:1], classes, *places[1:])
    dtype, seed = draw(kinds), draw(seeds)
    x = normal(seed, shape, dtype) * draw(st.sampled_from([1, 10]))
    rng = np.random.default_rng(seed)
    target = uniform(seed, shape, dtype) if soft else np.asarray(rng.integers(0, classes, places))
    options = {"reduction": draw(reductions)}
    if draw(st.booleans()):
        options["weight"] = uniform(seed, classes, dtype)
    if not soft and draw(st.booleans()):
        options["ignore_index"] = draw(st.sampled_from([0, 1, -1, -100]))
        if options["ignore_index"] < 0:
            target = np.where(rng.random(places) < 0.4, options["ignore_index"], target)
    return x, target, options


@settings(max_examples=60)
@given(case=choices(), smoothing=st.sampled_from([0.0, 0.1, 1.0]))
def test_cross_entropy_of_class_numbers(case, smoothing):
    x, target, options = case
    agree(*fixed("cross_entropy", label_smoothing=smoothing, **options), x, target, reduction=8)


@settings(max_examples=40)
@given(case=choices(soft=True), smoothing=st.sampled_from([0.0, 0.1, 1.0]))
def test_cross_entropy_of_probabilities(case, smoothing):
    x, target, options = case
    agree(*fixed("cross_entropy", label_smoothing=smoothing, **options), x, target, reduction=8)


@settings(max_examples=40)
@given(case=choices())
def test_nll_loss(case):
    x, target, options = case
    agree(*fixed("nll_loss", **options), x, target, reduction=8)


@pytest.mark.parametrize("name", ["cross_entropy", "nll_loss"])
def test_forms_of_class_numbers(name):
    x, target = normal(0, (4, 3)), np.array([0, 2, 1, 1])
    agree(*pair(name), x, target.astype("uint8"))
    agree(*pair(name), x[0], target[:1], order=0)
    for reduction in ("none", "mean", "sum"):
        agree(*fixed(name, reduction=reduction), x[:0], target[:0], order=1)
        both = fixed(name, ignore_index=0, reduction=reduction)
        agree(*both, x[0], np.array(0), order=1)
        agree(*both, x, target * 0, order=1)  # the mean is nan
    agree(*fixed(name, weight=np.zeros(3)), x, target)
    agree(*fixed(name, weight=np.array([0.0, 1, 2])), x, target, reduction=4)
    if name == "cross_entropy":
        agree(*pair(name), x[:0], x[:0], order=1)
    agree(*pair(name), normal(1, (2, 3, 4, 5, 2)), np.ones((2, 4, 5, 2), "int64"))


def test_scores_of_any_size():
    x = np.array([[1e4, -1e4, 0], [-1e30, 1e30, 0], [-np.inf, 0, 1], [800, 801, -800]], "float32")
    both = fixed("cross_entropy", reduction="none")
    agree(*both, x, np.array([0, 1, 2, 0]), order=1)
    agree(*both, x, np.array([1, 0, 0, 2]), order=1)
    agree(*fixed("nll_loss", reduction="none"), x, np.array([0, 0, 0, -100]), order=1)


@pytest.mark.parametrize("name", ["cross_entropy", "nll_loss"])
def test_class_numbers_out_of_range(name):
    x = normal(0, (4, 3))
    error = both_raise(*pair(name), x, np.array([0, 1, 3, 1]), match="class 3 in target")
    assert isinstance(error, DimError | IndexError)
    both_raise(*pair(name), x, np.array([0, -1, 2, 1]), match="class -1 in target")
    both_raise(*pair(name), x, np.array([-1, 2, 7, 1]), ignore_index=-1, match="class 7 in target")
    both_raise(*pair(name), x[0], np.array(3), match="class 3")
    both_raise(*pair(name), x[:, :0], np.array([0, 0, 0, 0]), match="0 classes")


@pytest.mark.parametrize("name", ["cross_entropy", "nll_loss"])
def test_a_choice_refuses(name):
    x, target = normal(0, (4, 3)), np.array([0, 2, 1, 1])
    for kind in ("float64", "int32", "int8", "bool"):
        both_raise(*pair(name), x, target.astype(kind), match=f"target=(4,) {kind}")
    both_raise(*pair(name), x.astype("int64"), target, match="int64")
    for wrong in (target[:3], target[:, None], np.zeros((4, 3), "int64"), np.array(1)):
        both_raise(*pair(name), x, wrong, match="target=")
    both_raise(*pair(name), normal(0, (4, 3, 5)), np.zeros((4, 6), "int64"), match="(4, 5)")
    both_raise(*pair(name), normal(0, (4, 3, 5)), target, match="(4, 5)")
    both_raise(*pair(name), np.array(1.0), np.array(0))
    both_raise(*pair(name), x, target, weight=np.ones(4), match="weight=(4,)")
    both_raise(*pair(name), x, target, weight=np.ones((1, 3)), match="weight=(1, 3)")
    both_raise(*pair(name), x, target, weight=np.ones(3, "float32"), match="weight=(3,) float32")
    both_raise(*pair(name), x, target, reduction="avg", match="avg")
    both_raise(*pair(name), x, None, match="target")
    both_raise(*pair(name), x, target, unknown=1)


def test_cross_entropy_refuses():
    both, x = pair("cross_entropy"), normal(0, (4, 3))
    both_raise(*both, x, x, ignore_index=1, match="ignore_index=1")
    both_raise(*both, x, np.array([0, 2, 1, 1]), label_smoothing=1.5, match="label_smoothing=1.5")
    with pytest.raises(ValueError, match="label_smoothing=-0.5"):  # torch ignores it
        F.cross_entropy(ours(x), ours(np.array([0, 2, 1, 1])), label_smoothing=-0.5)


@pytest.mark.parametrize("name", ["smooth_l1_loss", "huber_loss", "l1_loss"])
def test_infinite_differences_have_finite_gradients(name):
    x, zeros = np.array([np.inf, -np.inf, 0.5, -1.0, 1.0, np.nan]), np.zeros(6)
    mine, its = getattr(F, name), getattr(T, name)
    agree(lambda x, y: mine(x, y, reduction="sum"), lambda x, y: its(x, y, reduction="sum"),
          x, zeros, order=1)


def test_cross_entropy_of_infinite_scores_is_silent():
    x, y = np.array([[np.inf, 0.0, -np.inf]]), np.array([[1.0, 0.0, 0.5]])
    agree(F.binary_cross_entropy_with_logits, T.binary_cross_entropy_with_logits, x, y, order=0)
