"""Functions of each element, and of pairs of elements: compared with torch to second order."""

import math

import hypothesis.strategies as st
import numpy as np
import pytest
import torch
from against_torch import agree, both_raise, close
from hypothesis import given
from hypothesis.extra import numpy as hnp

import minilearn as ml
from minilearn import xp

SHAPES = hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4)
SEEDS = st.integers(0, 2**31)
FLOATS = st.sampled_from(["float32", "float64"])
NUMBERS = st.sampled_from(["bool", "uint8", "int32", "int64", "float32", "float64"])


def smooth(shape, dtype, seed, low=-2.0, high=2.0):
    """Random numbers away from the corners, which have tests of their own."""
    x = np.random.default_rng(seed).uniform(low, high, shape)
    return np.asarray(x + np.where(abs(x) < 0.05, 0.1, 0), dtype)


def whole(shape, dtype, seed, low=-3, high=4):
    """Small integers in any dtype: many ties and zeros."""
    x = np.random.default_rng(seed).integers(0 if dtype == "uint8" else low, high, shape)
    return np.asarray(x).astype(dtype)


# A function, and where its values are finite and smooth.
UNARY = {
    "neg": (-2, 2), "exp": (-2, 2), "exp2": (-2, 2), "expm1": (-2, 2), "log": (0.1, 3),
    "log2": (0.1, 3), "log10": (0.1, 3), "log1p": (-0.9, 3), "sqrt": (0.1, 3), "rsqrt": (0.1, 3),
    "square": (-2, 2), "reciprocal": (0.2, 3), "sin": (-4, 4), "cos": (-4, 4), "tan": (-1, 1),
    "asin": (-0.9, 0.9), "acos": (-0.9, 0.9), "atan": (-3, 3), "sinh": (-2, 2), "cosh": (-2, 2),
    "tanh": (-3, 3), "sigmoid": (-4, 4), "relu": (-2, 2), "erf": (-2, 2), "abs": (-2, 2),
    "sign": (-2, 2), "floor": (-3, 3), "ceil": (-3, 3), "trunc": (-3, 3), "round": (-3, 3),
    "clone": (-2, 2), "arcsin": (-0.9, 0.9), "arccos": (-0.9, 0.9), "arctan": (-3, 3),
}
BINARY = ["add", "sub", "mul", "div", "maximum", "minimum", "remainder", "atan2", "arctan2"]
MASKS = ["eq", "ne", "lt", "le", "gt", "ge", "logical_and", "logical_or", "logical_xor"]


@pytest.mark.parametrize("name", UNARY)
@given(shape=SHAPES, dtype=FLOATS, seed=SEEDS)
def test_unary(name, shape, dtype, seed):
    x = smooth(shape, dtype, seed, *UNARY[name])
    agree(getattr(ml, name), getattr(torch, name), x, reduction=8)


@pytest.mark.parametrize("name", UNARY)
def test_unary_of_integers_at_corners_and_as_a_method(name):
    inf = np.inf
    special = np.array([0.0, -0.0, 1.0, -1.0, inf, -inf, np.nan, 1e-30, 700.0, -700.0, 0.5, 2.5])
    for x in (special, special.astype("float32")):
        agree(getattr(ml, name), getattr(torch, name), x, order=0)
    for dtype in ("int64", "int32", "uint8"):
        x = whole((7,), dtype, 0, low=0 if name in ("log1p",) else -3)
        agree(getattr(ml, name), getattr(torch, name), x)
    x = np.array([0.25, 0.5])
    if not name.startswith("arc"):
        close(getattr(ml.tensor(x), name)(), getattr(torch.tensor(x), name)())


@pytest.mark.parametrize("name", ["relu", "abs", "sqrt", "sign"])
def test_gradient_at_the_corner(name):
    agree(getattr(ml, name), getattr(torch, name), np.array([0.0, -0.0, 1.0]), order=1)


def test_atan2_at_the_origin():
    agree(ml.atan2, torch.atan2, np.array([0.0, 0.0, 1.0]), np.array([0.0, 1.0, 0.0]), order=1)


@pytest.mark.parametrize("name", ["neg", "abs", "relu", "floor", "ceil", "round", "trunc"])
def test_truth_values_are_not_numbers(name):
    both_raise(getattr(ml, name), getattr(torch, name), np.array([True]), match=name)


@pytest.mark.parametrize("name", ["exp", "add", "where", "clamp", "maximum"])
def test_no_tensor_at_all_raises(name):
    arguments = {"exp": ([1.0],), "add": ("a", "b"), "where": ([True],), "clamp": ([1.0], 0, 1),
                 "maximum": ([1.0], [2.0])}[name]
    both_raise(getattr(ml, name), getattr(torch, name), *arguments)


def test_unknown_and_missing_arguments_raise():
    x = np.ones(3)
    both_raise(ml.exp, torch.exp, x, base=2)
    both_raise(ml.add, torch.add, x)
    both_raise(ml.add, torch.add, x, x, beta=2)
    both_raise(ml.mul, torch.mul, x, x, alpha=2)
    both_raise(ml.div, torch.div, x, x, rounding_mode="up", match="rounding_mode")
    both_raise(ml.mul, torch.mul, np.ones(3), np.ones(2), match="(2,)")


@given(shapes=hnp.mutually_broadcastable_shapes(num_shapes=2, max_dims=3, min_side=0, max_side=3),
       dtype=FLOATS, seed=SEEDS, name=st.sampled_from(BINARY))
def test_binary(shapes, dtype, seed, name):
    a, b = (smooth(s, dtype, seed + i) for i, s in enumerate(shapes.input_shapes))
    agree(getattr(ml, name), getattr(torch, name), a, b, reduction=64)


@given(shapes=hnp.mutually_broadcastable_shapes(num_shapes=2, max_dims=2, max_side=3),
       dtypes=st.tuples(NUMBERS, NUMBERS), seed=SEEDS, name=st.sampled_from(BINARY[:-1] + MASKS))
def test_binary_promotes_as_torch(beyond_the_standard, shapes, dtypes, seed, name):
    a, b = (whole(s, d, seed + len(d)) for s, d in zip(shapes.input_shapes, dtypes, strict=True))
    if name == "remainder":
        b = np.where(b == 0, 1, b).astype(b.dtype)
    if "bool" in dtypes and name in ("sub", "remainder", "maximum", "minimum"):
        return  # see test_bool_arithmetic
    if name == "atan2" and {"bool", "uint8"} & set(dtypes):
        return  # torch negates what has no sign; see test_atan2_of_integers
    agree(getattr(ml, name), getattr(torch, name), a, b, order=1, reduction=16)


@given(shape=SHAPES, dtype=NUMBERS, seed=SEEDS, name=st.sampled_from(["add", "sub", "mul", "div"]),
       number=st.sampled_from([2, -1, 0.5, True]))
def test_python_numbers_never_widen(beyond_the_standard, shape, dtype, seed, name, number):
    x = whole(shape, dtype, seed)
    if name == "sub" and (dtype == "bool" or number is True) or dtype == "uint8" and number == -1:
        return
    agree(getattr(ml, name), getattr(torch, name), x, number, order=1)
    operator = f"__{'truediv' if name == 'div' else name}__"
    agree(lambda x: getattr(x, operator)(number), lambda x: getattr(x, operator)(number), x)
    reflected = f"__r{operator[2:]}"
    if name != "div" or 0 not in x:
        agree(lambda x: getattr(x, reflected)(number), lambda x: getattr(x, reflected)(number), x)


@pytest.mark.parametrize("dtype", ["uint8", "int32", "int64"])
def test_atan2_of_integers(dtype):
    height, width = np.array([200, 3], dtype), np.array([150.0, -2.0])
    x, y = ml.tensor(width, requires_grad=True), torch.tensor(width, requires_grad=True)
    got = ml.grad(ml.atan2(ml.tensor(height), x).sum(), x)
    want = torch.autograd.grad(torch.atan2(torch.tensor(height.astype("float64")), y).sum(), y)
    close(got, want)


def test_bool_arithmetic(beyond_the_standard):
    a, b = np.array([True, False, True]), np.array([True, True, False])
    agree(ml.add, torch.add, a, b)
    agree(ml.mul, torch.mul, a, b)
    agree(ml.div, torch.div, a, b)
    both_raise(ml.sub, torch.sub, a, b)


def test_integers_of_two_kinds_divide_as_numbers():
    agree(ml.div, torch.div, np.array(-1, "int32"), np.array([2], "uint8"))
    agree(ml.atan2, torch.atan2, np.array(-1, "int32"), np.array([2], "uint8"))
    agree(ml.div, torch.div, np.array([2**40 + 1]), np.array([1.0]))  # no detour through float32


def test_alpha_scales_the_second_input():
    a, b = np.array([1.0, 2.0]), np.array([3.0, 5.0])
    for ours, theirs in ((ml.add, torch.add), (ml.sub, torch.sub)):
        agree(ours, theirs, a, b, alpha=-2.5)
        agree(ours, theirs, a, 2, alpha=3)
        agree(ours, theirs, whole((3,), "int64", 0), whole((3,), "int64", 1), alpha=3)
        both_raise(ours, theirs, whole((3,), "int64", 0), whole((3,), "int64", 1), alpha=1.5)


@given(dtypes=st.tuples(NUMBERS, NUMBERS), mode=st.sampled_from(["floor", "trunc", None]),
       seed=SEEDS)
def test_division_with_rounding(dtypes, mode, seed):
    a, b = whole((4, 3), dtypes[0], seed, -9, 9), whole((3,), dtypes[1], seed, -4, 4)
    if "bool" in dtypes:
        return
    b = np.where(b == 0, 3, b).astype(b.dtype)
    agree(ml.div, torch.div, a, b, rounding_mode=mode, order=1)
    agree(ml.floor_divide, torch.floor_divide, a, b, order=0)
    agree(lambda a, b: a // b, lambda a, b: a // b, a, b, order=0)
    agree(lambda a, b: a % b, lambda a, b: a % b, a, b, order=1)


def test_division_by_zero():
    x, zero = np.array([1.0, -1.0, 0.0]), np.zeros(3)
    for mode in ("floor", "trunc", None):
        agree(ml.div, torch.div, x, zero, rounding_mode=mode, order=0)
    agree(ml.remainder, torch.remainder, x, zero, order=0)
    agree(ml.div, torch.div, np.array([1, 0]), np.array([0, 0]))
    for name in ("floor_divide", "remainder"):
        both_raise(getattr(ml, name), getattr(torch, name), np.array([1]), np.array([0]),
                   match=name)
    both_raise(ml.div, torch.div, np.array([1]), np.array([0]), rounding_mode="trunc")


@given(shapes=hnp.mutually_broadcastable_shapes(num_shapes=2, max_dims=2, max_side=3), dtype=FLOATS,
       seed=SEEDS)
def test_pow_of_tensors(shapes, dtype, seed):
    base, exponent = (smooth(s, dtype, seed + i) for i, s in enumerate(shapes.input_shapes))
    agree(ml.pow, torch.pow, abs(base), exponent, reduction=64)


@pytest.mark.parametrize("exponent", [0, 1, 2, 3, -1, -2, 0.5, 2.0, 1.5, 0.0])
def test_pow_of_a_number(exponent):
    x = np.array([0.5, 1.0, 2.0, 3.0])
    agree(ml.pow, torch.pow, x, exponent)
    agree(lambda x: x**exponent, lambda x: x**exponent, x.astype("float32"))
    agree(lambda x: exponent**x, lambda x: exponent**x, np.array([1.0, 2.0, 3.0]), order=1)


def test_pow_at_its_corners():
    agree(ml.pow, torch.pow, np.zeros(4), np.array([0.0, 1.0, 2.0, 3.0]), order=1)
    agree(ml.pow, torch.pow, np.array([-1.0, -2.0, 0.0]), 2)
    agree(ml.pow, torch.pow, np.array([-1.0, -2.0, 0.0]), 3)
    agree(ml.pow, torch.pow, np.array([0.0, 4.0]), 0.5, order=1)
    agree(ml.pow, torch.pow, np.array([2, 3]), np.array([0.5, 1.5]), order=2)
    agree(ml.pow, torch.pow, np.array([2, 3]), 2)
    agree(ml.pow, torch.pow, np.array([True, False]), 2)
    both_raise(ml.pow, torch.pow, np.array([2, 3]), -1, match="pow")


# ---------------------------------------------------------------- choices


@given(shapes=hnp.mutually_broadcastable_shapes(num_shapes=3, max_dims=2, max_side=3), seed=SEEDS,
       dtypes=st.tuples(NUMBERS, NUMBERS))
def test_where(shapes, seed, dtypes):
    mask, a, b = shapes.input_shapes
    mask = whole(mask, "bool", seed, 0, 2)
    a, b = whole(a, dtypes[0], seed + 1), whole(b, dtypes[1], seed + 2)
    agree(ml.where, torch.where, mask, a, b)
    agree(ml.where, torch.where, mask, a, 0.1, order=1)
    agree(ml.where, torch.where, mask, 2, b, order=1)
    agree(lambda a, m, b: a.where(m, b), lambda a, m, b: a.where(m, b), a, mask, b, order=1)


def test_where_of_numbers_and_of_the_condition_alone():
    mask = np.array([[True, False], [False, True]])
    for pair in ((1, 2), (1.0, 2), (True, False)):
        agree(ml.where, torch.where, mask, *pair)
    agree(ml.where, torch.where, mask)
    both_raise(ml.where, torch.where, np.array([1, 0]), 1.0, 2.0, match="where")
    both_raise(ml.where, torch.where, mask, np.ones(3), np.ones(2))


def test_where_keeps_infinities_of_the_other_branch_out():
    x = np.array([0.0, 1.0, 4.0])
    agree(lambda x: ml.where(x > 0, x.log(), 0.0), lambda x: torch.where(x > 0, x.log(), 0.0),
          x[1:])
    y = ml.tensor(x, requires_grad=True)
    (g,) = ml.grad(ml.where(y > 0, 1 / ml.where(y > 0, y, 1.0), 0.0).sum(), y)
    assert g.tolist() == [0.0, -1.0, -0.0625]


@given(shape=SHAPES, dtype=NUMBERS, seed=SEEDS,
       bounds=st.sampled_from([(-1, 1), (0, None), (None, 1), (-0.5, 1.5), (1, -1), (2, 2)]))
def test_clamp_between_numbers(shape, dtype, seed, bounds):
    x = whole(shape, dtype, seed)
    if dtype == "uint8" and bounds[0] is not None or dtype == "uint8" and bounds[1] == -1:
        return  # unsigned numbers have no negative bounds
    agree(ml.clamp, torch.clamp, x, *bounds)
    agree(ml.clip, torch.clip, x, min=bounds[0], max=bounds[1], order=1)


@given(shapes=hnp.mutually_broadcastable_shapes(num_shapes=3, max_dims=2, max_side=3), dtype=FLOATS,
       seed=SEEDS)
def test_clamp_between_tensors(shapes, dtype, seed):
    # torch itself fails when x is stretched, so only the bounds are.
    x, low, high = (whole(s, dtype, seed + i) for i, s in
                    enumerate((shapes.result_shape, *shapes.input_shapes[1:])))
    agree(ml.clamp, torch.clamp, x, low, high)
    agree(ml.clamp, torch.clamp, x, low)
    agree(ml.clamp, torch.clamp, x, max=high)
    agree(ml.clamp_min, torch.clamp_min, x, low)
    agree(ml.clamp_max, torch.clamp_max, x, 1)


def test_clamp_raises():
    x = np.ones(3)
    both_raise(ml.clamp, torch.clamp, x, match="clamp")
    both_raise(ml.clamp, torch.clamp, x, np.zeros(3), 1, match="clamp")
    both_raise(ml.clamp, torch.clamp, x, "a")
    agree(ml.clamp, torch.clamp, np.array([np.nan, np.inf]), 0.0, 1.0, order=1)


@given(shape=hnp.array_shapes(max_dims=2, max_side=3), dtype=FLOATS, seed=SEEDS)
def test_maximum_halves_at_ties(shape, dtype, seed):
    a, b = whole(shape, dtype, seed, 0, 2), whole(shape, dtype, seed + 1, 0, 2)
    agree(ml.maximum, torch.maximum, a, b)
    agree(ml.minimum, torch.minimum, a, b)
    agree(ml.maximum, torch.maximum, np.array([np.nan, 1.0]), np.array([1.0, np.nan]), order=1)


@given(shape=hnp.array_shapes(max_dims=2, max_side=3), dtype=FLOATS, seed=SEEDS)
def test_lerp(shape, dtype, seed):
    a, b, w = (smooth(shape, dtype, seed + i) for i in range(3))
    agree(ml.lerp, torch.lerp, a, b, w, reduction=4)
    agree(ml.lerp, torch.lerp, a, b, 0.3, reduction=4)


def test_lerp_raises():
    x = np.ones(3)
    both_raise(ml.lerp, torch.lerp, x, x.astype("float32"), 0.5, match="lerp")
    both_raise(ml.lerp, torch.lerp, x, 1.0, 0.5)
    both_raise(ml.lerp, torch.lerp, np.array([1]), np.array([2]), 0.5)


# ---------------------------------------------------------------- rounding and masks


@pytest.mark.parametrize("decimals", [-2, -1, 0, 1, 3])
def test_round_to_decimals(decimals):
    agree(ml.round, torch.round, np.array([123.456, -0.5, 2.5, 1.2345]), decimals=decimals, order=1)
    both_raise(ml.round, torch.round, np.array([1]), decimals=decimals or 1)


@pytest.mark.parametrize("name", ["isnan", "isinf", "isfinite", "logical_not"])
def test_questions_about_one_number(name):
    for x in (np.array([0.0, np.nan, np.inf, -np.inf, 2.0]), np.array([0, 1]),
              np.array([True, False])):
        agree(getattr(ml, name), getattr(torch, name), x)


@pytest.mark.parametrize("name", ["bitwise_and", "bitwise_or", "bitwise_xor"])
def test_bits(name):
    symbol = {"bitwise_and": "__and__", "bitwise_or": "__or__", "bitwise_xor": "__xor__"}[name]
    for a, b in (([5, 6], [3, 1]), ([True, False], [True, True])):
        a, b = np.array(a), np.array(b)
        agree(getattr(ml, name), getattr(torch, name), a, b)
        agree(lambda a, b: getattr(a, symbol)(b), lambda a, b: getattr(a, symbol)(b), a, b)
        agree(ml.bitwise_not, torch.bitwise_not, a)
    both_raise(getattr(ml, name), getattr(torch, name), np.ones(2), np.ones(2), match=name)
    both_raise(ml.bitwise_not, torch.bitwise_not, np.ones(2))


def test_a_mask_requires_no_gradient():
    x = ml.tensor([1.0, -1.0], requires_grad=True)
    for mask in (x > 0, x == x, x.isnan(), x.logical_not(), x.argmax(), x.any()):
        assert not mask.requires_grad


@given(seed=SEEDS, tolerance=st.sampled_from([0.0, 1e-8, 0.5]))
def test_closeness(seed, tolerance):
    a = np.append(smooth((6,), "float64", seed), [np.inf, np.nan, -np.inf])
    b = np.append(a[:6] + 1e-6 * smooth((6,), "float64", seed + 1), [np.inf, np.nan, 1.0])
    for nan in (False, True):
        agree(ml.isclose, torch.isclose, a, b, rtol=1e-6, atol=tolerance, equal_nan=nan)
        agree(ml.allclose, torch.allclose, a, b, rtol=0.1, equal_nan=nan)
        agree(ml.allclose, torch.allclose, a[:8], b[:8], rtol=0.1, equal_nan=nan)
    agree(ml.equal, torch.equal, a, b)
    agree(ml.equal, torch.equal, a[:6], a[:6])
    agree(ml.equal, torch.equal, a[:6], a[:5])


# ---------------------------------------------------------------- other libraries


@pytest.mark.parametrize("name", ["relu", "abs", "sign", "square"])
def test_gradients_at_nan_and_infinity(name):
    x = np.array([np.nan, np.inf, -np.inf, 0.0, 2.0])
    agree(getattr(ml, name), getattr(torch, name), x)


def test_truth_values_are_numbers_only_where_torch_says_so():
    mask, x, i = np.array([True, False]), np.array([1.5, -2.0]), np.array([3, 4])
    agree(ml.square, torch.square, mask)
    agree(ml.pow, torch.pow, x, mask, order=0)
    (slope,) = ml.grad((leaf := ml.tensor(x, requires_grad=True)).pow(ml.tensor(mask)).sum(), leaf)
    assert slope.tolist() == [1.0, 0.0]
    for other in (mask, x, i):
        both_raise(ml.sub, torch.sub, mask, other, match="sub: ")
        both_raise(ml.sub, torch.sub, other, mask, match="sub: ")
    both_raise(ml.pow, torch.pow, mask, mask, match="truth values")


def test_the_second_input_has_the_name_it_has_in_torch():
    x = np.array([0.5, -1.5])
    agree(ml.pow, torch.pow, abs(x), exponent=2.5)
    agree(ml.clamp_min, torch.clamp_min, x, min=0.2)
    agree(ml.clamp_max, torch.clamp_max, input=x, max=x[::-1].copy())
    for wrong in ({"other": x}, {"exponent": x, "bogus": 1}, {}):
        both_raise(ml.pow, torch.pow, x, **wrong)


@pytest.mark.parametrize("op", ["add", "sub", "mul", "floor_divide", "eq", "ne"])
@pytest.mark.parametrize("number", [-1, 300])
def test_a_number_that_does_not_fit_is_cut(op, number):
    agree(getattr(ml, op), getattr(torch, op), np.array([0, 5, 255], "uint8"), number)


@pytest.mark.parametrize("number", [10**30, 2**64, -(2**63) - 1])
def test_an_integer_beyond_all_dtypes_raises(number):
    for dtype in ("float64", "int64"):
        both_raise(ml.add, torch.add, np.ones(2, dtype), number, match="too large")


def test_isclose_refuses_what_torch_refuses():
    x, mask = np.array([1.0, 2.0]), np.array([True, False])
    agree(ml.isclose, torch.isclose, mask, mask)
    both_raise(ml.isclose, torch.isclose, x, x.astype("float32"), match="one dtype")
    both_raise(ml.allclose, torch.allclose, x, np.array([1, 2]), match="one dtype")
    both_raise(ml.isclose, torch.isclose, x, 1.0, match="Tensors")
    both_raise(ml.isclose, torch.isclose, x, x, rtol=-1.0, match="negative")
    both_raise(ml.equal, torch.equal, x, 1.0, match="Tensor")




@pytest.mark.parametrize("library", ["array_api_strict", "torch:cpu"])
@pytest.mark.parametrize("name", [*UNARY, *BINARY])
def test_on_other_libraries(library, name):
    before = xp.library()
    xp.use(library)
    try:
        x = smooth((2, 3), "float64", 0, *UNARY.get(name, (0.5, 2)))
        inputs = (x,) if name in UNARY else (x, x[0])
        agree(getattr(ml, name), getattr(torch, name), *inputs)
    finally:
        xp.use(before)


@pytest.mark.parametrize("library", ["array_api_strict", "torch:cpu"])
def test_choices_on_other_libraries(library):
    before = xp.library()
    xp.use(library)
    try:
        x, mask = smooth((2, 3), "float32", 0), np.array([True, False, True])
        agree(ml.clamp, torch.clamp, x, -0.5, 1)
        agree(ml.where, torch.where, mask, x, 0.0)
        agree(ml.pow, torch.pow, abs(x), x[0], reduction=8)
        agree(lambda x: x**2 + 2**x, lambda x: x**2 + 2**x, x, reduction=8)
        agree(ml.add, torch.add, np.array([1, 2]), 0.5)
        agree(ml.add, torch.add, x, np.array([1, 2, 3]))
        for name in MASKS:
            agree(getattr(ml, name), getattr(torch, name), x, x[0])
    finally:
        xp.use(before)
    assert math.isclose(float(ml.tensor(1.0)), 1.0)
