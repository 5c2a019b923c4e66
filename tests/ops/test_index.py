"""Reading and writing elements by their places, compared with torch over every kind of index."""

import warnings

import hypothesis.strategies as st
import numpy as np
import pytest
import torch
from against_torch import agree, both_raise, close, host
from hypothesis import given
from hypothesis.extra import numpy as hnp

import minilearn as ml
from minilearn import xp
from minilearn.ops.gather import one_hot

SEEDS = st.integers(0, 2**31)
FLOATS = st.sampled_from(["float32", "float64"])
INTEGERS = st.sampled_from(["int32", "int64"])


def normal(shape, dtype="float64", seed=0):
    return np.asarray(np.random.default_rng(seed).standard_normal(shape), dtype)


@st.composite
def items(draw, size, common):
    """One item of an index for a dimension of this size; index tensors broadcast to `common`."""
    kind = draw(st.sampled_from(["slice", "int", "tensor", "list", "mask"]))
    if kind == "slice":
        bound = st.none() | st.integers(-size - 1, size + 1)
        return slice(draw(bound), draw(bound), draw(st.none() | st.integers(1, 3)))
    if kind == "mask" and common == (2,):
        return np.random.default_rng(size).permutation(np.arange(size) < 2)
    if not size or kind in ("int", "mask"):
        return draw(st.integers(-size, size - 1)) if size else slice(None)
    shape = draw(st.sampled_from([common, common[:-1] + (1,), common[1:], ()]))
    dtype = draw(INTEGERS)
    places = draw(hnp.arrays(dtype, shape, elements=st.integers(-size, size - 1)))
    return places if kind == "tensor" or places.ndim != 1 else places.tolist()


@st.composite
def indices(draw, shape):
    """What may stand in the brackets of x[...]."""
    common = draw(st.sampled_from([(2,), (3, 2), (1,)]))
    count = draw(st.integers(0, len(shape)))
    index = [draw(items(n, common)) for n in shape[:count]]
    if draw(st.booleans()):
        at = draw(st.integers(0, len(index)))
        index[at:] = [..., *(draw(items(n, common)) for n in shape[len(shape) - count + at :])]
    for _ in range(draw(st.integers(0, 2))):
        index.insert(draw(st.integers(0, len(index))), None)
    return tuple(index)


def for_both(index):
    """Turn the arrays of an index into tensors of either side."""
    return [tuple(make(i) if isinstance(i, np.ndarray) else i for i in index)
            for make in (ml.tensor, torch.tensor)]


# ---------------------------------------------------------------- x[...]


@given(shape=hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4), dtype=FLOATS,
       data=st.data())
def test_getitem(shape, dtype, data):
    ours, theirs = for_both(data.draw(indices(shape)))
    x = normal(shape, dtype)
    try:
        torch.tensor(x)[theirs]
    except IndexError:  # a mask may select another number of places than an index tensor names
        both_raise(lambda x: x[ours], lambda x: x[theirs], x)
        return
    agree(lambda x: x[ours], lambda x: x[theirs], x)


SINGLE = [
    *(0, -1, slice(None), slice(1, None, 2), slice(10, None), None, ..., True, False, np.int64(1)),
    *([1, 0], [], [True, False], (), range(2), (..., 0), (0, True), (..., ...), (slice(2, 1), 0)),
    *(np.array(1), np.array(-1), np.array(True), np.array([True, False])),
    *(np.array([[0, 1], [1, 0]]), np.zeros((2, 3, 4), bool), (np.array([0, 1]), np.array(1))),
    *((slice(None), np.ones((3, 4), bool)), (np.ones((2, 3), bool), 1)),
    *((0, slice(None), [1, 2]), ([0, 1], slice(None), [1, 2]), (slice(None), [0, 1], None, [2, 1])),
    *((..., [0, 2]), (None, [0, 1]), ([0, 1], True)),
]


@pytest.mark.parametrize("index", SINGLE, ids=repr)
def test_every_kind_of_index(index):
    ours, theirs = for_both(index if isinstance(index, tuple) else (index,))
    if not isinstance(index, tuple):
        ours, theirs = ours[0], theirs[0]
    agree(lambda x: x[ours], lambda x: x[theirs], normal((2, 3, 4)))


WRONG = [
    *(5, -3, (0, 3), (..., 4), (0, 0, 0, 0), slice(None, None, -1), slice(None, 1.5), 1.0, "a"),
    *([2], [-3], (0, [0, 3]), ([0, 1], [0, 1, 2]), np.array([1.0]), np.array([2])),
    *(np.array([True]), np.ones((2, 4), bool)),
]


@pytest.mark.parametrize("index", WRONG, ids=repr)
def test_a_wrong_index_raises(index):
    ours, theirs = for_both(index if isinstance(index, tuple) else (index,))
    if not isinstance(index, tuple):
        ours, theirs = ours[0], theirs[0]
    both_raise(lambda x: x[ours], lambda x: x[theirs], normal((2, 3, 4)))
    both_raise(lambda x: x[0], lambda x: x[0], np.array(1.0))


def test_a_view_shares_memory_and_repeated_places_add_up():
    x = ml.tensor([[1.0, 2.0], [3.0, 4.0]])
    row = x[0]
    x[0, 1] = 9.0
    assert row.tolist() == [1.0, 9.0]
    y = ml.tensor([1.0, 2.0], requires_grad=True)
    y[[0, 0, 1]].sum().backward()
    assert y.grad.tolist() == [2.0, 1.0]


@given(shape=hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4), data=st.data())
def test_setitem(shape, data):
    ours, theirs = for_both(data.draw(indices(shape)))
    x = normal(shape)
    a, b = ml.tensor(x), torch.tensor(x)
    try:
        target = b[theirs]
    except IndexError:
        return
    if any(isinstance(i, list | torch.Tensor) for i in theirs):
        values = 7.0  # where places repeat, which value stays is open
    else:
        values = normal(tuple(target.shape), seed=1)
        values = values if values.ndim else float(values)
    a[ours], b[theirs] = (make(values) if isinstance(values, np.ndarray) else values
                          for make in (ml.tensor, torch.tensor))
    close(a, b)


def test_setitem_raises():
    x = normal((2, 3))
    both_raise(lambda x: x.__setitem__(0, [1.0]), lambda x: x.__setitem__(0, "a"), x)
    both_raise(lambda x, v: x.__setitem__(0, v), lambda x, v: x.__setitem__(0, v), x, np.ones(2))
    both_raise(lambda x: x.__setitem__(3, 1.0), lambda x: x.__setitem__(3, 1.0), x)
    w = ml.tensor([1.0, 2.0], requires_grad=True)
    for tracked in (w, w * 2):
        with pytest.raises(RuntimeError, match=r"index_put"):
            tracked[0] = 1.0
    with pytest.raises(RuntimeError, match="in place"):
        ml.tensor([1.0, 2.0])[0] = w[0]
    computed = w * 2
    with ml.no_grad():
        w[0] = 5.0
        with pytest.raises(RuntimeError, match="in place"):  # its array is part of a history
            computed[0] = 1.0
    assert w.tolist() == [5.0, 2.0]


# ---------------------------------------------------------------- gather and scatter


@st.composite
def gathered(draw, dtype="float64"):
    """A tensor, a dimension, and an index that fits."""
    shape = draw(hnp.array_shapes(min_dims=1, max_dims=3, max_side=4))
    dim = draw(st.integers(-len(shape), len(shape) - 1))
    sizes = [draw(st.integers(1, 5)) if d == dim % len(shape) else draw(st.integers(1, n))
             for d, n in enumerate(shape)]
    index = draw(hnp.arrays("int64", sizes, elements=st.integers(0, shape[dim] - 1)))
    return normal(shape, dtype), dim, index


@given(case=gathered())
def test_gather(case):
    x, dim, index = case
    agree(ml.gather, torch.gather, x, dim, index)
    agree(ml.gather, torch.gather, x.astype("float32"), dim, index.astype("int32"))


@given(case=gathered(), longer=st.integers(0, 2))
def test_scatter_add(case, longer):
    x, dim, index = case
    agree(ml.scatter_add, torch.scatter_add, x, dim, index, normal(index.shape, seed=1))
    source = normal(tuple(n + longer for n in index.shape), seed=1)
    agree(ml.scatter_add, torch.scatter_add, x, dim, index, source, order=0)


@given(case=gathered())
def test_scatter(case):
    x, dim, index = case
    agree(ml.scatter, torch.scatter, x, dim, index, 2.5)
    agree(ml.scatter, torch.scatter, x, dim, index, value=2)
    unique = np.argsort(normal(x.shape, seed=2), axis=dim)
    agree(ml.scatter, torch.scatter, x, dim, unique, normal(x.shape, seed=1))


def test_gather_of_single_numbers():
    agree(ml.gather, torch.gather, np.array(2.0), 0, np.array([0, 0]))
    agree(ml.gather, torch.gather, np.array([2.0, 3.0]), 0, np.array(1))
    agree(ml.scatter, torch.scatter, np.array([2.0, 3.0]), 0, np.array(1), 5.0)


@pytest.mark.parametrize("index", [[[-1]], [[3]], [[0, 1, 0, 1, 0]], [0], [[[0]]], [[0.0]]],
                         ids=str)
def test_gather_and_scatter_raise(index):
    x, index = normal((3, 4)), np.array(index)
    both_raise(ml.gather, torch.gather, x, 0, index, match="gather")
    both_raise(ml.scatter, torch.scatter, x, 0, index, 1.0, match="scatter")
    both_raise(ml.scatter_add, torch.scatter_add, x, 0, index, normal(index.shape),
               match="scatter_add")


def test_scatter_checks_its_source():
    x, index = normal((3, 4)), np.array([[0, 1]])
    both_raise(ml.scatter, torch.scatter, x, 0, index, normal((1, 1)), match="src")
    both_raise(ml.scatter, torch.scatter, x, 0, index, np.array(5.0))
    both_raise(ml.scatter, torch.scatter, x, 0, index, np.array([[1, 2]]), match="dtypes differ")
    both_raise(ml.scatter_add, torch.scatter_add, x, 0, index, 2.0)
    both_raise(ml.gather, torch.gather, x, 2, index)
    both_raise(ml.gather, torch.gather, x, 0, [[0]])


@given(case=gathered(), data=st.data())
def test_take_along_dim(case, data):
    x, dim, index = case
    agree(ml.take_along_dim, torch.take_along_dim, x, np.argsort(x, axis=dim), dim)
    agree(ml.take_along_dim, torch.take_along_dim, x, np.argmax(x, axis=dim, keepdims=True), dim)
    agree(ml.take_along_dim, torch.take_along_dim, x, np.array([0, x.size - 1]))
    both_raise(ml.take_along_dim, torch.take_along_dim, x, index[None], dim)


# ---------------------------------------------------------------- lists of places


@given(case=gathered(), dtype=INTEGERS)
def test_index_select_and_add(case, dtype):
    x, dim, index = case
    places = index.reshape(-1)[:3].astype(dtype)
    agree(ml.index_select, torch.index_select, x, dim, places)
    agree(ml.index_select, torch.index_select, x, dim, np.array(places[0]))
    shape = [len(places) if d == dim % x.ndim else n for d, n in enumerate(x.shape)]
    agree(ml.index_add, torch.index_add, x, dim, places, normal(shape, seed=1))
    agree(ml.index_add, torch.index_add, x, dim, places, normal(shape, seed=1), alpha=-2)
    agree(ml.index_fill, torch.index_fill, x, dim, places.astype("int64"), 2.5)
    once = np.unique(places)
    shape = [len(once) if d == dim % x.ndim else n for d, n in enumerate(x.shape)]
    agree(ml.index_copy, torch.index_copy, x, dim, once.astype("int64"), normal(shape, seed=1))


@pytest.mark.parametrize("index", [[-1], [3], [[1]], [1.0]], ids=str)
def test_index_select_and_add_raise(index):
    x, index = normal((3, 4)), np.array(index)
    both_raise(ml.index_select, torch.index_select, x, 0, index, match="index_select")
    both_raise(ml.index_add, torch.index_add, x, 0, index, normal((1, 4)), match="index_add")
    both_raise(ml.index_select, torch.index_select, x, 2, np.array([0]))
    both_raise(ml.index_add, torch.index_add, x, 0, np.array([1]), normal((1, 1)), match="source")
    both_raise(ml.index_add, torch.index_add, x, 0, np.array([1]), normal((1, 4), "float32"))
    both_raise(ml.index_select, torch.index_select, np.array(1.0), 0, np.array([0, 0]))
    agree(ml.index_select, torch.index_select, np.array(1.0), 0, np.array([0]))


@given(shape=hnp.array_shapes(min_dims=0, max_dims=3, max_side=4), data=st.data())
def test_take(shape, data):
    x = normal(shape)
    index = data.draw(hnp.arrays("int64", hnp.array_shapes(max_dims=2, max_side=3),
                                 elements=st.integers(-x.size, x.size - 1)))
    agree(ml.take, torch.take, x, index)
    both_raise(ml.take, torch.take, x, index * 0 + x.size, match="take")


# ---------------------------------------------------------------- masks


@given(shapes=hnp.mutually_broadcastable_shapes(num_shapes=2, min_dims=0, max_dims=3, max_side=3),
       seed=SEEDS)
def test_masked_fill_and_select(shapes, seed):
    x, mask = (normal(s, seed=seed + i) for i, s in enumerate(shapes.input_shapes))
    mask = np.asarray(mask > 0)
    agree(ml.masked_fill, torch.masked_fill, x, mask, -1e9)
    agree(ml.masked_fill, torch.masked_fill, x, mask, float("-inf"))
    agree(ml.masked_fill, torch.masked_fill, x, mask, np.array(2.0))
    agree(ml.masked_select, torch.masked_select, x, mask)


def test_masked_fill_keeps_the_dtype_and_raises():
    mask = np.array([True, False])
    agree(ml.masked_fill, torch.masked_fill, np.array([1, 2]), mask, 2.5)
    agree(ml.masked_fill, torch.masked_fill, np.array([1.0, 2.0], "float32"), mask, np.array(3.0))
    both_raise(ml.masked_fill, torch.masked_fill, np.ones(2), mask, np.ones(1), match="masked_fill")
    both_raise(ml.masked_fill, torch.masked_fill, np.ones(2), np.ones(2), 1.0, match="truth values")
    both_raise(ml.masked_fill, torch.masked_fill, np.ones(3), mask, 1.0)
    both_raise(ml.masked_select, torch.masked_select, np.ones(2), np.ones(2), match="masked_select")
    both_raise(ml.masked_select, torch.masked_select, np.ones(3), mask)


@given(shape=hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3), seed=SEEDS)
def test_nonzero(shape, seed):
    x = np.asarray(np.random.default_rng(seed).integers(0, 2, shape))
    agree(ml.nonzero, torch.nonzero, x)
    agree(ml.nonzero, torch.nonzero, x, as_tuple=True)
    agree(ml.nonzero, torch.nonzero, np.asarray(x > 0))


@given(accumulate=st.booleans(), seed=SEEDS)
def test_index_put(accumulate, seed):
    x, rows = normal((3, 4)), np.random.default_rng(seed).permutation(3)[:2]
    columns = np.array([1, 1])
    agree(ml.index_put, torch.index_put, x, (rows, columns), normal((2,), seed=1),
          accumulate=accumulate)
    agree(ml.index_put, torch.index_put, x, (rows,), normal((4,), seed=1), accumulate=accumulate)
    agree(ml.index_put, torch.index_put, x, (x > 0,), normal((), seed=1), accumulate=accumulate)


def test_index_put_adds_up_what_meets():
    places = (np.array([0, 0, 1]),)
    agree(ml.index_put, torch.index_put, normal((2,)), places, normal((3,), seed=1),
          accumulate=True)
    both_raise(ml.index_put, torch.index_put, normal((2,)), places, normal((2,)))
    both_raise(ml.index_put, torch.index_put, normal((2,)), places, normal((3,), "float32"))


def test_one_hot():
    theirs = torch.nn.functional.one_hot
    for x, *count in ([[0, 2]], [[[1], [0]], 3], [1, 4], [[], 3]):
        agree(one_hot, theirs, np.array(x, "int64"), *count)
    for x, *count in ([[0, 2], 2], [[-1], 2], [[0.0], 2], [[]], [[0], -2]):
        dtype = "float64" if x == [0.0] else "int64"
        both_raise(one_hot, theirs, np.array(x, dtype), *count, match="one_hot")


def test_broadcast_tensors():
    agree(ml.broadcast_tensors, torch.broadcast_tensors, normal((3, 1)), normal((2,)))
    both_raise(ml.broadcast_tensors, torch.broadcast_tensors, normal((3,)), normal((2,)))


# ---------------------------------------------------------------- other libraries


def test_nested_sequences_as_torch_reads_them():
    x = np.arange(12.0).reshape(3, 4)
    for index in ([[0, 1], [1, 2]], [[0, 2]], ((0, 1),), [slice(0, 2), 1], [0, None], [...]):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch means to change lists, one day
            agree(lambda x, i=index: x[i], lambda x, i=index: x[i], x)


def test_negative_and_empty_indices():
    x, none = np.arange(12.0).reshape(3, 4), np.zeros(0, "int64")
    agree(ml.index_fill, torch.index_fill, x, 1, np.array([-1, 0]), 9.0)
    agree(ml.take_along_dim, torch.take_along_dim, x, np.array([[-1, 0, -4]]), 1)
    agree(ml.gather, torch.gather, x, 1, none)
    agree(ml.index_select, torch.index_select, x, 1, none)
    both_raise(ml.index_select, torch.index_select, x, 1, np.array([-1]), match="out of range")
    both_raise(ml.gather, torch.gather, x, 1, np.array([[-1]]), match="out of range")




@pytest.mark.parametrize("library", ["array_api_strict", "torch:cpu"])
def test_on_other_libraries(library):
    before = xp.library()
    xp.use(library)
    try:
        x, index = normal((3, 4)), np.array([[0, 2, 1, 0]])
        for index_ in SINGLE:
            ours, theirs = for_both(index_ if isinstance(index_, tuple) else (index_,))
            agree(lambda x: x[ours], lambda x: x[theirs], normal((2, 3, 4)))  # noqa: B023
        agree(ml.gather, torch.gather, x, 0, index)
        agree(ml.scatter, torch.scatter, x, 0, index, normal((1, 4), seed=1))
        agree(ml.scatter_add, torch.scatter_add, x, 0, index, normal((1, 4), seed=1))
        agree(ml.index_select, torch.index_select, x, 1, np.array([3, 0]))
        agree(ml.index_add, torch.index_add, x, 1, np.array([3, 3]), normal((3, 2), seed=1))
        agree(ml.masked_fill, torch.masked_fill, x, x > 0, 0.5)
        agree(ml.masked_select, torch.masked_select, x, x[0] > 0)
        agree(ml.take, torch.take, x, np.array([-1, 5]))
        agree(ml.nonzero, torch.nonzero, x > 0)
        agree(one_hot, torch.nn.functional.one_hot, np.array([0, 2]))
        y = ml.tensor(x)
        y[:, [0, 2]] = 0.0
        y[1] = 5.0
        assert host(y)[2, 0] == 0 and (host(y)[1] == 5).all()
    finally:
        xp.use(before)
