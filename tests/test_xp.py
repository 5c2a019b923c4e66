"""The door to the array libraries: choosing one, and the functions that the standard lacks."""

import builtins
import dis
import inspect
import math
import types

import array_api_strict
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from minilearn import xp

LIBRARIES = ["numpy", "torch:cpu", "array_api_strict"]


@pytest.fixture(params=LIBRARIES)
def library(request):
    before = xp.library()
    xp.use(request.param)
    yield request.param
    xp.use(before)


def test_choosing_a_library(library):
    kinds = {"numpy": np.ndarray, "torch:cpu": torch.Tensor,
             "array_api_strict": type(array_api_strict.zeros(()))}
    assert xp.library() == library
    assert xp.ARRAY is kinds[library]
    made = [xp.zeros((2,)), xp.full((), 3), xp.empty((1,)), xp.arange(3), xp.array([1.0]),
            xp.scalar(2, "float64"), xp.exp(xp.zeros((1,)))]
    assert all(type(a) is kinds[library] for a in made)


def test_what_cannot_be_used():
    before = xp.library()
    with pytest.raises(ValueError, match="unknown library 'jax'.*numpy"):
        xp.use("jax")
    for device, present in [("cuda", torch.cuda.is_available()),
                            ("mps", torch.backends.mps.is_available())]:
        if not present:
            with pytest.raises(RuntimeError, match="finds no such device"):
                xp.use(device)
    assert xp.library() == before  # a failed choice changes nothing


def test_a_missing_package_is_named(monkeypatch):
    def missing(name):
        raise ImportError(name)

    monkeypatch.setattr(xp.importlib, "import_module", missing)
    with pytest.raises(ImportError, match=r"pip install 'minilearn\[learn\]'"):
        xp.use("torch:cpu")


def test_functions_of_the_standard_are_forwarded():
    before = xp.library()
    seen = []
    for name in LIBRARIES:
        xp.use(name)
        seen.append(xp.tanh)
    xp.use(before)
    assert len({id(f) for f in seen}) == 3  # nothing of the last library is kept
    with pytest.raises(AttributeError):
        _ = xp.no_such_function


def test_no_function_leans_on_a_forwarded_name():
    """Inside xp.py a bare `reshape` works only after somebody asked for `xp.reshape`."""
    own = vars(xp).keys() - xp._forwarded
    for name, function in vars(xp).items():
        if isinstance(function, types.FunctionType) and function.__module__ == xp.__name__:
            for code in codes(function.__code__):
                for step in dis.get_instructions(code):
                    if step.opname == "LOAD_GLOBAL":
                        assert step.argval in own or hasattr(builtins, step.argval), \
                            f"{name} uses {step.argval}"


def codes(code):
    yield code
    for constant in code.co_consts:
        if inspect.iscode(constant):
            yield from codes(constant)


# ---------------------------------------------------------------- making and reading arrays


@pytest.mark.parametrize("kind", ["float32", "float64", "int64", "int32", "uint8", "bool"])
def test_dtypes(library, kind):
    for spec in (kind, np.dtype(kind), getattr(np, kind if kind != "bool" else "bool_")):
        made = xp.zeros((2,), spec)
        assert xp.host_dtype(made) == np.dtype(kind)
        assert made.dtype == xp.dtype(spec) == xp.dtype(made.dtype)
    assert xp.is_floating(made) == kind.startswith("float")
    floating = xp.floating(made)
    assert xp.host_dtype(floating) == np.dtype(kind if kind.startswith("float") else "float32")


def test_arrays_are_copied_from_anywhere(library):
    values = np.array([[1.5, -2.0], [0.0, 3.25]])
    for source in (values, values.tolist(), torch.tensor(values, requires_grad=True),
                   array_api_strict.asarray(values), values.T.copy().T):
        made = xp.array(source)
        assert type(made) is xp.ARRAY
        assert np.array_equal(xp.to_numpy(made), values)
        assert xp.host_dtype(made) == np.float64
    assert xp.host_dtype(xp.array(values, "float32")) == np.float32
    made = xp.array(values)
    made[0, 0] = 7.0
    assert values[0, 0] == 1.5
    again = xp.copy(made)
    again[0, 0] = 8.0
    assert float(made[0, 0]) == 7.0


def test_numbers_of_no_dimension(library):
    for value, kind in [(2.5, "float32"), (3, "int64"), (True, "bool")]:
        made = xp.scalar(value, xp.dtype(kind))
        assert made.shape == () and made.dtype == xp.dtype(kind) and made == value


def test_one_seed_gives_the_same_numbers_on_every_library(library):
    xp.manual_seed(3)
    drawn = xp.array(xp.generator().standard_normal(4))
    assert np.array_equal(xp.to_numpy(drawn), np.random.default_rng(3).standard_normal(4))


def test_quiet(library):
    with xp.quiet():
        assert xp.to_numpy(xp.log(xp.zeros((1,)))).tolist() == [-math.inf]


# ---------------------------------------------------------------- what the standard lacks


def test_erf(library):
    x = np.linspace(-4, 4, 33)
    want = [math.erf(v) for v in x]
    np.testing.assert_allclose(xp.to_numpy(xp.erf(xp.array(x))), want, rtol=1e-14, atol=1e-15)
    assert xp.host_dtype(xp.erf(xp.array(x, "float32"))) == np.float32


def test_erf_without_scipy(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "scipy.special", None)
    np.testing.assert_allclose(xp.to_numpy(xp.erf(xp.array([0.5]))), [math.erf(0.5)], rtol=1e-14)


@given(st.tuples(*[st.integers(1, 3)] * 2), st.tuples(*[st.integers(1, 3)] * 2),
       st.tuples(*[st.integers(1, 2)] * 2), st.tuples(*[st.integers(0, 3)] * 2))
def test_windows_equal_the_portable_version(kernel, stride, dilation, room):
    size = [(k - 1) * d + 1 + r for k, d, r in zip(kernel, dilation, room, strict=True)]
    values = np.random.default_rng(0).standard_normal((2, *size, 3))
    before = xp.library()
    try:
        results = []
        for library in LIBRARIES:
            xp.use(library)
            for windows in (xp.windows, xp.windows_portable):
                results.append(xp.to_numpy(windows(xp.array(values), kernel, stride, dilation)))
    finally:
        xp.use(before)
    for other in results[1:]:
        assert np.array_equal(results[0], other)


@given(st.data())
def test_index_add_and_getitem(data):
    shape = data.draw(st.tuples(st.integers(1, 4), st.integers(1, 4)))
    count = data.draw(st.integers(0, 6))
    places = np.array([data.draw(st.integers(0, shape[1] - 1)) for _ in range(count)], np.int64)
    values = np.random.default_rng(1).standard_normal((shape[0], count))
    want = np.zeros(shape)
    np.add.at(want, (slice(None), places), values)
    before = xp.library()
    try:
        for library in LIBRARIES:
            xp.use(library)
            basic = (slice(0, shape[0]), slice(0, shape[1]))
            index = basic, (slice(None), xp.array(places))
            got = xp.index_add(shape, *index, xp.array(values))
            assert np.allclose(xp.to_numpy(got), want, rtol=1e-15, atol=1e-15)
            assert np.array_equal(xp.to_numpy(xp.getitem(got, *index)), xp.to_numpy(got)[:, places])
    finally:
        xp.use(before)


def test_a_product_goes_into_a_view(library):
    rng = np.random.default_rng(0)
    a, b, out = rng.normal(size=(3, 4)), rng.normal(size=(4, 2)), xp.zeros((3, 5), "float64")
    xp.multiply_into(out[:, 1:3], xp.array(a), xp.array(b))
    np.testing.assert_allclose(xp.to_numpy(out), np.pad(a @ b, ((0, 0), (1, 2))))


def test_column_products(library):
    a, b = np.random.default_rng(0).normal(size=(2, 5, 3))
    found = xp.column_products(xp.array(a), xp.array(b))
    np.testing.assert_allclose(xp.to_numpy(found), (a * b).sum(0))


@pytest.mark.parametrize("bad", [np.inf, -np.inf, np.nan])
def test_all_finite(library, bad):
    x = np.ones((3, 4))
    assert xp.all_finite(xp.array(x))
    x[1, 2] = bad
    assert not xp.all_finite(xp.array(x))
    x[2, 0] = -bad  # they cancel to nan
    assert not xp.all_finite(xp.array(x))


def test_a_copy_keeps_the_order_in_memory():
    if xp.library() == "numpy":
        x = np.zeros((2, 3, 4)).transpose(2, 0, 1)
        assert xp.copy(x).strides == x.strides and xp.copy(x) is not x
