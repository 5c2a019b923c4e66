"""Items into batches, against torch's default_collate."""

from collections import namedtuple

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from torch.utils.data import default_collate

from minilearn.data import collate
from minilearn.data.collate import to_tensors
from minilearn.errors import ShapeError
from minilearn.tensor import Tensor

Pair = namedtuple("Pair", "left right")


def same(ours, theirs):
    """Compare a collated batch with torch's: structure, dtype, shape, values."""
    if isinstance(theirs, torch.Tensor):
        assert isinstance(ours, np.ndarray)
        assert ours.dtype == theirs.numpy().dtype
        assert ours.shape == tuple(theirs.shape)
        np.testing.assert_array_equal(ours, theirs.numpy())
    elif isinstance(theirs, dict):
        assert list(ours) == list(theirs)
        for key in theirs:
            same(ours[key], theirs[key])
    elif isinstance(theirs, list | tuple):
        assert type(ours) is type(theirs)
        assert len(ours) == len(theirs)
        for mine, its in zip(ours, theirs, strict=True):
            same(mine, its)
    else:
        assert ours == theirs


def text_in_lists(batch):
    """Inside a tuple torch leaves text as a tuple, else as a list; here it is always a list."""
    if isinstance(batch, dict):
        return {key: text_in_lists(part) for key, part in batch.items()}
    if isinstance(batch, list | tuple):
        return [text_in_lists(part) for part in batch]
    return batch


numbers = st.one_of(st.just(int), st.just(float), st.just(bool))
arrays = hnp.array_shapes(min_dims=0, max_dims=3, max_side=3)
forms = st.recursive(
    st.one_of(numbers, arrays, st.just(str)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(tuple),
        st.dictionaries(st.sampled_from("abc"), inner, max_size=2),
    ),
    max_leaves=5,
)


def item_of(form, rng):
    """Make an item: a form is a type, a shape, or a tuple or dict of forms."""
    if form is str:
        return str(rng.integers(10))
    if isinstance(form, type):
        return form(rng.integers(10))
    if isinstance(form, dict):
        return {key: item_of(inner, rng) for key, inner in form.items()}
    if all(isinstance(side, int) for side in form) and form:
        return rng.standard_normal(form)
    return tuple(item_of(inner, rng) for inner in form)


@given(forms, st.integers(1, 4))
def test_collate_is_torchs(form, count):
    rng = np.random.default_rng(0)
    items = [item_of(form, rng) for _ in range(count)]
    same(collate(items), text_in_lists(default_collate(items)))


@pytest.mark.parametrize("items", [
    [Pair(1, 2.0), Pair(3, 4.0)],
    [(1, [2, 3]), (4, [5, 6])],
    [np.float32(1), np.float32(2)],
    [b"x", b"y"],
    [(), ()],
])
def test_collate_is_torchs_for_rarer_items(items):
    same(collate(items), default_collate(items))


def test_tensors_are_stacked():
    batch = collate([Tensor(np.ones(3, np.float32)), Tensor(np.zeros(3, np.float32))])
    assert batch.dtype == np.float32
    assert batch.tolist() == [[1, 1, 1], [0, 0, 0]]


@pytest.mark.parametrize("items, words", [
    ([np.zeros((1, 2)), np.zeros((1, 3))], ["items[1]", "(1, 3)", "items[0]", "(1, 2)"]),
    ([(np.zeros(2), 1), (np.zeros(2), 1), (np.zeros(3), 1)], ["items[2][0]", "(3,)", "(2,)"]),
    ([{"image": np.zeros(1)}, {"image": np.zeros(())}], ["items[1]['image']", "()", "(1,)"]),
    ([[1, 2], [3]], ["items[1]", "[3]", "another form"]),
    ([{"a": 1}, {"b": 1}], ["items[1]", "{'b': 1}"]),
    ([(1, 2), 3], ["items[1] is 3"]),
])
def test_ragged_items_are_named_with_both_shapes(items, words):
    with pytest.raises(ShapeError) as caught:
        collate(items)
    for word in [*words, "collate_fn="]:
        assert word in str(caught.value)


@pytest.mark.parametrize("items", [[None], [1, "a"], [1, None], [object()], [{1, 2}]])
def test_what_is_no_number_is_refused(items):
    with pytest.raises(TypeError, match=r"items\[.\] is"):
        collate(items)


def test_only_arrays_become_tensors():
    batch = to_tensors({"x": np.zeros(2), "names": ["a"], "pair": Pair(np.ones(1), "b")})
    assert isinstance(batch["x"], Tensor)
    assert batch["names"] == ["a"]
    assert isinstance(batch["pair"].left, Tensor)
    assert batch["pair"].right == "b"
