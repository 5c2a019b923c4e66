"""Tensors from numbers, from arrays and from chance: names, arguments and defaults are torch's."""

import hypothesis.strategies as st
import numpy as np
import pytest
import torch
from against_torch import agree, both_raise, close
from hypothesis import given

import minilearn as ml
from minilearn import xp

DTYPES = ["float32", "float64", "int32", "int64", "uint8", "bool"]
SIZES = st.lists(st.integers(0, 3), max_size=3).map(tuple)


def same(name, *args, dtype=None, **kwargs):
    """Assert that a function of both sides returns the same for the same arguments."""
    ours = getattr(ml, name)(*args, **({"dtype": dtype} if dtype else {}), **kwargs)
    theirs = getattr(torch, name)(*args, **({"dtype": getattr(torch, dtype)} if dtype else {}),
                                  **kwargs)
    if "empty" in name:
        ours, theirs = ours * 0, theirs * 0
    close(ours, theirs)
    assert ours.requires_grad == theirs.requires_grad


@pytest.mark.parametrize("data", [1, 1.5, True, [1, 2], [1, 2.5], [True, 1], [[1.0], [2.0]],
                                  [], [[]], (1, 2),
                                  [[True, False]], 2**40, float("nan"), [np.int32(3)]], ids=repr)
def test_tensor_of_numbers(data):
    for dtype in (None, "float64", "int64", "bool"):
        if dtype != "int64" or data == data:  # nan is no integer
            same("tensor", data, dtype=dtype)


@pytest.mark.parametrize("dtype", DTYPES)
def test_tensor_of_arrays_keeps_their_dtype(dtype):
    array = np.ones((2, 3), dtype)
    made = ml.tensor(array)
    assert made.dtype == dtype and made.shape == (2, 3)
    array[:] = 0
    assert made.tolist() == np.ones((2, 3), dtype).tolist()  # a copy
    assert ml.tensor([made, made]).dtype == dtype


@pytest.mark.parametrize("data", [[[1, 2], [3]], "a", None, {}, [None], ["a"], [[1], 2], 2**63],
                         ids=repr)
def test_tensor_refuses_what_is_no_number(data):
    both_raise(ml.tensor, torch.tensor, data)


def test_no_complex_numbers():
    with pytest.raises(TypeError, match="expected numbers"):
        ml.tensor(1j)


def test_tensor_raises_for_integers_that_want_a_gradient():
    both_raise(ml.tensor, torch.tensor, [1, 2], requires_grad=True, match="floating")
    both_raise(ml.tensor, torch.tensor, [1.0], device="mars")
    assert ml.tensor([1.0], requires_grad=True).requires_grad


def test_as_tensor_and_from_numpy_share_memory(on_numpy):
    array = np.ones(3)
    shared, copied = ml.from_numpy(array), ml.tensor(array)
    again = ml.as_tensor(shared)
    array[0] = 5.0
    assert shared.tolist() == [5.0, 1.0, 1.0] and copied.tolist() == [1.0, 1.0, 1.0]
    assert again is shared and ml.as_tensor(array).data is array
    assert ml.as_tensor([1, 2], dtype=ml.float64).dtype == "float64"
    both_raise(ml.from_numpy, torch.from_numpy, [1.0], match="from_numpy")


@given(size=SIZES, dtype=st.sampled_from([None, *DTYPES]), one_by_one=st.booleans())
def test_filled(size, dtype, one_by_one):
    for name in ("zeros", "ones", "empty"):
        same(name, *(size if one_by_one and size else (size,)), dtype=dtype)
    for value in (2, 1.5, True):
        same("full", size, value, dtype=dtype)
    x = np.zeros(size, dtype or "float32")
    for name in ("zeros_like", "ones_like", "full_like"):
        value = (1,) if name == "full_like" else ()
        close(getattr(ml, name)(ml.tensor(x), *value),
              getattr(torch, name)(torch.tensor(x), *value))
        close(getattr(ml, name)(ml.tensor(x), *value, dtype="float64"),
              getattr(torch, name)(torch.tensor(x), *value, dtype=torch.float64))
    assert ml.empty_like(ml.tensor(x)).shape == size


def test_a_gradient_may_be_asked_for():
    for name, args in {"zeros": (2,), "ones": (2,), "rand": (2,), "randn": (2,), "eye": (2,),
                       "full": ((2,), 1.0), "linspace": (0, 1, 3), "arange": (3.0,)}.items():
        assert getattr(ml, name)(*args, requires_grad=True).requires_grad
        both_raise(getattr(ml, name), getattr(torch, name), *args, colour="red")


@pytest.mark.parametrize("size", [(-1,), (2.0,), ("a",), ((2, -1),), (2, 2.5)], ids=repr)
def test_wrong_sizes_raise(size):
    for name in ("zeros", "ones", "empty", "rand", "randn"):
        both_raise(getattr(ml, name), getattr(torch, name), *size, match=name)
    both_raise(ml.full, torch.full, 2, 1.0, match="full")
    both_raise(ml.zeros_like, torch.zeros_like, 3, match="zeros_like")


@given(n=st.integers(0, 4), m=st.none() | st.integers(0, 4), dtype=st.sampled_from([None, *DTYPES]))
def test_eye(n, m, dtype):
    same("eye", n, *(() if m is None else (m,)), dtype=dtype)


def test_eye_raises():
    both_raise(ml.eye, torch.eye, -1)
    both_raise(ml.eye, torch.eye, 2.5)


NUMBERS = st.integers(-5, 5) | st.sampled_from([-2.5, 0.25, 0.5, 3.75])


@given(start=NUMBERS, end=NUMBERS, step=NUMBERS, dtype=st.sampled_from([None, "float64", "int64"]))
def test_arange(start, end, step, dtype):
    if step == 0 or (end - start) * step < 0:
        both_raise(ml.arange, torch.arange, start, end, step, match="arange")
    elif dtype != "int64" or int(step) != 0 and (int(end) - int(start)) * int(step) >= 0:
        same("arange", start, end, step, dtype=dtype)
    else:  # an integer dtype cuts the numbers first
        both_raise(ml.arange, torch.arange, start, end, step, dtype=torch.int64)


def test_forms_of_arange():
    same("arange", 5)
    same("arange", 2.5)
    same("arange", end=3)
    same("arange", 1, 4)
    both_raise(ml.arange, torch.arange, "a")
    both_raise(ml.arange, torch.arange, 0, float("inf"))


@given(start=NUMBERS, end=NUMBERS, steps=st.integers(0, 7),
       dtype=st.sampled_from([None, "float64"]))
def test_linspace(start, end, steps, dtype):
    same("linspace", start, end, steps, dtype=dtype)


def test_linspace_raises():
    both_raise(ml.linspace, torch.linspace, 0, 1, -1)
    both_raise(ml.linspace, torch.linspace, 0, 1, 2.5)
    both_raise(ml.linspace, torch.linspace, 0, 1)


# ---------------------------------------------------------------- chance


@pytest.mark.parametrize("library", ["numpy", "torch:cpu", "array_api_strict"])
def test_one_seed_gives_the_same_numbers_everywhere(library):
    draw = {"rand": (2, 3), "randn": (4,), "randint": (5, (6,)), "randperm": (7,)}
    ml.manual_seed(3)
    expected = [getattr(ml, name)(*args).tolist() for name, args in draw.items()]
    before = xp.library()
    xp.use(library)
    try:
        ml.manual_seed(3)
        assert [getattr(ml, name)(*args).tolist() for name, args in draw.items()] == expected
    finally:
        xp.use(before)


def test_distributions():
    ml.manual_seed(0)
    n = 20_000
    even, bell = ml.rand(n), ml.randn(n, dtype="float64")
    assert even.dtype == "float32" and bell.dtype == "float64"
    assert 0 <= float(even.min()) < 0.01 and 0.99 < float(even.max()) < 1
    assert abs(float(even.mean()) - 0.5) < 0.01 and abs(float(even.var()) - 1 / 12) < 0.005
    assert abs(float(bell.mean())) < 0.03 and abs(float(bell.std()) - 1) < 0.03
    assert sorted(set(ml.randint(-2, 3, (1000,)).tolist())) == [-2, -1, 0, 1, 2]
    assert sorted(ml.randperm(50).tolist()) == list(range(50))
    chosen = ml.bernoulli(ml.full((n,), 0.3))
    assert abs(float(chosen.mean()) - 0.3) < 0.02 and set(chosen.tolist()) == {0.0, 1.0}
    wide = ml.normal(5.0, 2.0, (n,))
    assert abs(float(wide.mean()) - 5) < 0.1 and abs(float(wide.std()) - 2) < 0.1
    each = ml.normal(ml.tensor([0.0, 100.0]), ml.tensor([1.0, 0.0]))
    assert each.shape == (2,) and float(each[1]) == 100.0


@pytest.mark.parametrize("name, args", [
    ("rand", (2,)), ("randn", ((2, 3),)), ("randint", (3, (2,))), ("randint", (1, 3, (2,))),
    ("randperm", (4,)), ("normal", (0.0, 1.0, (2,)))])
def test_random_shapes_and_dtypes_are_torchs(name, args):
    ours, theirs = getattr(ml, name)(*args), getattr(torch, name)(*args)
    assert ours.shape == tuple(theirs.shape) and f"torch.{ours.dtype}" == str(theirs.dtype)


def test_chance_raises():
    both_raise(ml.rand, torch.rand, 2, dtype=None, colour="red")
    for name, args in {"randint": (3, 3, (2,)), "randperm": (-1,),
                       "normal": (0.0, -1.0, (2,))}.items():
        both_raise(getattr(ml, name), getattr(torch, name), *args)
    both_raise(ml.rand_like, torch.rand_like, np.array([1]), match="rand_like")
    both_raise(ml.normal, torch.normal, np.ones(3), np.ones(2))
    both_raise(ml.bernoulli, torch.bernoulli, np.array([1.5]), match="bernoulli")
    with pytest.raises(TypeError, match="rand"):
        ml.rand(2, dtype="int64")


def test_like():
    x = np.zeros((2, 3))
    for name in ("rand_like", "randn_like"):
        made = getattr(ml, name)(ml.tensor(x))
        assert made.shape == (2, 3) and made.dtype == "float64" and float(made.std()) > 0
    assert ml.randint_like(ml.tensor(x), 4).dtype == "float64"
    agree(lambda x: ml.randn_like(x) * 0 + x, lambda x: x + 0, x)
