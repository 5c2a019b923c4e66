"""What Python asks of a Tensor: operators, conversions, copies, pickles, changes in place."""

import copy
import pickle

import hypothesis.strategies as st
import numpy as np
import pytest
import torch
from against_torch import agree, both_raise, close
from hypothesis import given

import minilearn as ml
from minilearn import xp
from minilearn.methods import ALIASES, METHODS
from minilearn.nn.parameter import Parameter


def both(data, requires_grad=False):
    return [make(data, requires_grad=requires_grad) for make in (ml.tensor, torch.tensor)]


# ---------------------------------------------------------------- operators

TWO = {
    "+": lambda a, b: a + b, "-": lambda a, b: a - b, "*": lambda a, b: a * b,
    "/": lambda a, b: a / b, "//": lambda a, b: a // b, "%": lambda a, b: a % b,
    "**": lambda a, b: a**b, "==": lambda a, b: a == b, "!=": lambda a, b: a != b,
    "<": lambda a, b: a < b, "<=": lambda a, b: a <= b, ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}


@pytest.mark.parametrize("symbol", TWO)
@given(seed=st.integers(0, 999), number=st.sampled_from([2, 3.0, 0.5]))
def test_operators(symbol, seed, number):
    a, b = np.random.default_rng(seed).integers(1, 5, (2, 3)).astype("float32")
    order = 0 if symbol == "//" else 2
    agree(TWO[symbol], TWO[symbol], a, b, order=order, reduction=16)
    agree(lambda a: TWO[symbol](a, number), lambda a: TWO[symbol](a, number), a, order=order,
          reduction=16)
    if symbol != "%":  # torch has no derivative for a number % tensor
        agree(lambda a: TWO[symbol](number, a), lambda a: TWO[symbol](number, a), a, order=order,
              reduction=16)


@pytest.mark.parametrize("symbol", ["+", "-", "*", "/", "//", "%", "**", "<", ">="])
@pytest.mark.parametrize("other", [None, "a", {}], ids=repr)
def test_operators_refuse_what_is_no_number(symbol, other):
    both_raise(lambda a: TWO[symbol](a, other), lambda a: TWO[symbol](a, other), np.ones(2))
    if (symbol, other) != ("%", "a"):  # which formats a text
        both_raise(lambda a: TWO[symbol](other, a), lambda a: TWO[symbol](other, a), np.ones(2))


def test_equality_with_other_things_and_hash():
    x = ml.tensor([1.0])
    assert (x == None) is False and (x != "a") is True  # noqa: E711
    assert len({x, x, ml.tensor([1.0])}) == 2
    assert x in [x] and 1.0 in x and 2.0 not in x


def test_one_sided_operators():
    agree(lambda x: -x + abs(x) + (+x), lambda x: -x + abs(x) + (+x), np.array([1.0, -2.0]))
    agree(lambda x: ~x, lambda x: ~x, np.array([True, False]))
    agree(lambda x: ~x, lambda x: ~x, np.array([1, -3]))
    agree(lambda x: x & True | (True ^ x), lambda x: x & True | (True ^ x), np.array([True, False]))
    agree(lambda a, b: a @ b, lambda a, b: a @ b, np.ones((2, 3)), np.ones((3, 2)))
    both_raise(lambda x: ~x, lambda x: ~x, np.ones(2))
    both_raise(lambda x: x @ None, lambda x: x @ None, np.ones(2))


def test_numpy_arrays_and_numbers_meet_tensors(on_numpy):
    x = ml.tensor([1.0, 2.0])
    assert (np.array([1.0, 2.0], "float32") * x).tolist() == [1.0, 4.0]
    assert (x * np.float64(0.5)).dtype == "float32" and (np.float32(2) * x).tolist() == [2.0, 4.0]
    assert (x + np.int64(1)).tolist() == [2.0, 3.0]


# ---------------------------------------------------------------- in place


def test_in_place_where_no_gradient_is_recorded():
    for change in (lambda x: x.__iadd__(1), lambda x: x.__isub__(2), lambda x: x.__imul__(3),
                   lambda x: x.__itruediv__(2)):
        ours, theirs = both([1.0, 2.0])
        row = ours[:1]
        assert change(ours) is ours
        change(theirs)
        close(ours, theirs)
        assert row.tolist() == ours.tolist()[:1]  # the same memory


def test_in_place_learning():
    w = ml.tensor([1.0, 2.0], requires_grad=True)
    (w * w).sum().backward()
    with ml.no_grad():
        same = w
        w -= 0.5 * w.grad
    assert w is same and w.tolist() == [0.0, 0.0] and w.requires_grad


def test_in_place_raises():
    for bad in (lambda x: x.__iadd__(1.5), lambda x: x.__itruediv__(2)):
        both_raise(bad, bad, np.array([1, 2]))
    both_raise(lambda x, y: x.__iadd__(y), lambda x, y: x.__iadd__(y), np.ones(2), np.ones((3, 2)))
    w = ml.tensor([1.0], requires_grad=True)
    with pytest.raises(RuntimeError, match="no_grad"):
        w += 1


def test_in_place_of_a_computed_tensor_makes_a_new_one():
    agree(lambda x: (x * 2).__iadd__(x), lambda x: (x * 2).__iadd__(x), np.array([1.0, 2.0]))
    total = ml.tensor(0.0)
    x = ml.tensor(2.0, requires_grad=True)
    total += x * x
    total.backward()
    assert x.grad.item() == 4.0


# ---------------------------------------------------------------- Python's protocols


@pytest.mark.parametrize("data", [[1.0, 2.0], [[1, 2], [3, 4]], [], 5.0, [[7]], True])
def test_length_rows_truth_and_numbers(data):
    for ask in (len, list, bool, float, int, lambda x: range(9)[x], lambda x: f"{x:.2f}",
                lambda x: x.item()):
        ours, theirs = both(data)
        try:
            want = ask(theirs)
        except (TypeError, RuntimeError, ValueError, IndexError):
            both_raise(ask, ask, np.array(data))
            continue
        close(ask(ours), want)


def test_formatting():
    x = ml.tensor(1.23456)
    assert f"{x:.2f}" == "1.23" and str(x) == "tensor(1.2346)"
    for make in (ml.tensor, torch.tensor):
        assert f"{make(1.5, requires_grad=True)}" == "1.5" and f"{make([2])}" == "tensor([2])"


@pytest.mark.parametrize("name", ["add", "sub", "mul", "div", "copy", "fill", "zero"])
def test_methods_that_change_in_place(name):
    other = {"fill": 2.5, "zero": ()}.get(name, np.array([2.0, 4.0, 8.0]))

    def change(x, other, name=f"{name}_"):
        same_one = getattr(x, name)(*(() if other == () else (other,)))
        assert same_one is x
        return x

    for kind in ("float32", "int64"):
        x = np.array([[1, 2, 3], [4, 5, 6]], kind)
        cut = x[0] if name in ("add", "mul") else x
        if kind == "int64" and name in ("add", "sub", "mul", "div"):
            both_raise(change, change, cut, other)
        else:
            agree(change, change, cut, other, gradient=False)
    if name not in ("fill", "zero"):  # the tensor itself does not stretch
        both_raise(change, change, np.ones(3), np.ones((2, 3)), match=name)
        both_raise(change, change, np.ones(3), np.ones((1, 3)), match=name)


def test_no_method_changes_what_a_gradient_is_recorded_for():
    for library in (ml, torch):
        w, one = (library.ones(2, requires_grad=True) for _ in range(2))
        for change in (w.zero_, lambda w=w: w.add_(1), lambda w=w, one=one: w.copy_(one)):
            with pytest.raises(RuntimeError):
                change()
            with library.no_grad():
                change()
        (w * 3).sum().backward()
        w.grad.zero_()
        assert w.tolist() == [1.0, 1.0] and w.grad.tolist() == [0.0, 0.0]
    with pytest.raises(RuntimeError, match="add_: a tensor whose gradient is recorded"):
        (ml.ones(2, requires_grad=True) * 2).add_(1)


def test_as_an_array(on_numpy):
    x = ml.tensor([1.0, 2.0])
    assert np.asarray(x).dtype == "float32" and np.array(x, dtype="float64").tolist() == [1.0, 2.0]
    assert np.asarray(x) is x.data and np.array(x) is not x.data
    w = ml.tensor([1.0], requires_grad=True)
    with pytest.raises(RuntimeError, match="detach"):
        np.asarray(w)


@pytest.mark.parametrize("text, x", [
    ("tensor([1., 2.])", [1.0, 2.0]), ("tensor([1, 2])", [1, 2]), ("tensor(True)", True),
    ("tensor([0.3333, 0.5   ])", [1 / 3, 0.5]), ("tensor([])", []),
    ("tensor([], size=(0, 3))", np.ones((0, 3), "float32")),
    ("tensor([1., 2.], dtype=float64)", np.array([1.0, 2.0])),
    ("tensor([[1.],\n        [2.]])", [[1.0], [2.0]])])
def test_repr(text, x):
    assert repr(ml.tensor(x)) == text


def test_repr_of_what_is_tracked_and_of_what_is_long():
    w = ml.tensor([1.0], requires_grad=True)
    assert repr(w) == "tensor([1.], requires_grad=True)"
    assert repr(w * 2) == "tensor([2.], grad_fn=mul)"
    assert "..." in repr(ml.zeros(5000)) and len(repr(ml.zeros(5000))) < 200
    with np.printoptions(precision=1):  # NumPy's own setting does not matter
        assert repr(ml.tensor(1 / 3)) == "tensor(0.3333)"


# ---------------------------------------------------------------- copies


def test_deepcopy_of_a_leaf():
    w = ml.tensor([1.0, 2.0], requires_grad=True)
    (w * w).sum().backward()
    twin, again = copy.deepcopy([w, w])
    assert twin is again and twin is not w and twin.requires_grad
    assert twin.grad.tolist() == [2.0, 4.0] and twin.grad is not w.grad
    with ml.no_grad():
        twin += 1
    assert w.tolist() == [1.0, 2.0]


def test_pickle():
    w = ml.tensor([1.0, 2.0], requires_grad=True)
    copied = pickle.loads(pickle.dumps(w))
    assert copied.requires_grad and copied.tolist() == [1.0, 2.0]
    p = pickle.loads(pickle.dumps(Parameter(ml.ones(2))))
    assert type(p) is Parameter and type(copy.deepcopy(p)) is Parameter and p.requires_grad
    with pytest.raises(RuntimeError, match="detach"):
        pickle.dumps(w * 2)
    with pytest.raises(RuntimeError, match="detach"):
        copy.deepcopy(w * 2)


@pytest.mark.parametrize("library", ["torch:cpu", "array_api_strict"])
def test_pickles_are_read_on_any_library(library):
    saved = pickle.dumps(ml.tensor([1.0, 2.0], requires_grad=True))
    before = xp.library()
    xp.use(library)
    try:
        read = pickle.loads(saved)
        assert isinstance(read.data, xp.ARRAY) and read.requires_grad
        assert read.tolist() == [1.0, 2.0]
        assert pickle.loads(pickle.dumps(read)).tolist() == [1.0, 2.0]
        assert copy.deepcopy(read).tolist() == [1.0, 2.0]
    finally:
        xp.use(before)


# ---------------------------------------------------------------- size and dtype

CASTS = {"float": "float32", "double": "float64", "long": "int64", "int": "int32",
         "short": "int16", "bool": "bool"}


@pytest.mark.parametrize("name", CASTS)
def test_casts(name):
    for x in (np.array([1.5, 0.0, -2.7]), np.array([1, 0]), np.array([True, False])):
        agree(lambda x: getattr(x, name)(), lambda x: getattr(x, name)(), x)
        agree(lambda x: x.to(CASTS[name]), lambda x: x.to(getattr(torch, CASTS[name])), x)
        agree(lambda x: x.to(dtype=getattr(ml, CASTS[name])),
              lambda x: x.to(dtype=getattr(torch, CASTS[name])), x)


def test_to():
    x, y = ml.tensor([1.0, 2.0]), ml.tensor([1, 2])
    assert x.to(ml.float32) is x and x.to(x) is x
    assert x.to(y).dtype == "int64" and y.type_as(x).dtype == "float32"
    assert x.to(x, copy=True) is not x and x.to(float).dtype == "float64"
    both_raise(lambda x: x.to("mars"), lambda x: x.to("mars"), np.ones(2), match="use")


def test_size_and_dim():
    for shape in ((), (2,), (2, 3, 4)):
        agree(lambda x: (x.dim(), x.ndim, x.numel(), x.nelement(), *x.size()),
              lambda x: (x.dim(), x.ndim, x.numel(), x.nelement(), *x.size()), np.ones(shape))
    agree(lambda x: (x.size(0), x.size(-1)), lambda x: (x.size(0), x.size(-1)), np.ones((2, 3)))
    both_raise(lambda x: x.size(2), lambda x: x.size(2), np.ones((2, 3)), match="size")
    both_raise(lambda x: x.size(0), lambda x: x.size(0), np.array(1.0))
    assert ml.ones(2).is_floating_point() and not ml.tensor([1]).is_floating_point()


def test_layout(on_numpy):
    x = np.arange(6.0).reshape(2, 3)
    agree(lambda x: x.T.contiguous(), lambda x: x.T.contiguous(), x)
    agree(lambda x: x.clone(), lambda x: x.clone(), x)
    assert ml.tensor(x).T.contiguous().data.flags.c_contiguous


def test_every_method_is_torchs():
    ours = {"square", "broadcast_to"} | {f.__name__ for f in METHODS} | ALIASES.keys()
    assert ours == {name for name in ours if hasattr(torch.Tensor, name)}


def test_functions_and_methods_are_one():
    for function in METHODS:
        public = getattr(ml, function.__name__, None)
        assert public in (None, function), function.__name__
