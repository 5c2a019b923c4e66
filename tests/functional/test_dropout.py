"""Dropout and embedding: what is drawn, what is kept, and torch where nothing is random."""

import numpy as np
import pytest
import torch.nn.functional as T
from against_torch import agree, both_raise, host, ours
from hypothesis import given, settings
from hypothesis import strategies as st

import minilearn as ml
import minilearn.functional as F
from minilearn.errors import ShapeError

seeds = st.integers(0, 10**6)
kinds = st.sampled_from(["float32", "float64"])
FAMILY = {"dropout": (2, 3, 4, 5), "dropout1d": (4, 5, 6), "dropout2d": (4, 5, 3, 2)}


def drawn_for(name, shape):
    """The shape of what is drawn: one number per element, or per channel."""
    channels = shape[:-1] if name == "dropout1d" else shape[:2]
    return shape if name == "dropout" else channels + (1,) * (len(shape) - len(channels))


@pytest.mark.parametrize("name", FAMILY)
@settings(max_examples=20)
@given(seed=seeds, dtype=kinds, p=st.sampled_from([0.0, 0.1, 0.5, 1.0]), training=st.booleans())
def test_what_is_kept(name, seed, dtype, p, training):
    x = np.random.default_rng(seed).standard_normal(FAMILY[name]).astype(dtype)
    ml.manual_seed(seed)
    leaf = ours(x, requires_grad=True)
    y = getattr(F, name)(leaf, p, training)
    drawn = np.random.default_rng(seed).random(drawn_for(name, x.shape), dtype="float32")
    factor = (drawn >= p) * (1 / (1 - p) if p < 1 else 0.0) if training and p else np.ones(1)
    assert y.dtype == x.dtype
    np.testing.assert_allclose(host(y), x * factor, rtol=1e-6)
    (g,) = ml.grad(y.sum(), leaf)
    np.testing.assert_allclose(host(g), np.broadcast_to(factor, x.shape), rtol=1e-6)


def test_one_seed_gives_one_mask_and_the_mean_stays():
    x = ours(np.ones((100, 100)))
    ml.manual_seed(3)
    first = host(F.dropout(x, 0.3))
    assert not np.array_equal(first, host(F.dropout(x, 0.3)))
    ml.manual_seed(3)
    assert np.array_equal(first, host(F.dropout(x, 0.3)))
    assert abs((first == 0).mean() - 0.3) < 0.02 and abs(first.mean() - 1) < 0.03


@pytest.mark.parametrize("name", FAMILY)
def test_where_nothing_is_random_torch_agrees(name):
    both = getattr(F, name), getattr(T, name)
    x = np.random.default_rng(0).standard_normal(FAMILY[name])
    agree(*both, x, 0.5, training=False)
    agree(*both, x, 0.0)
    agree(*both, x, 1.0)
    for p in (1.5, -0.5, np.nan):
        both_raise(*both, x, p, match="p=")
    both_raise(*both, x, 1.5, training=False, match="p=1.5")
    both_raise(*both, x, "a")
    both_raise(*both, x.astype("int64"), match="int64")
    with pytest.raises(TypeError):
        both[0](ours(x), inplace=True)


def test_dropout_of_channels_needs_channels():
    ml.manual_seed(0)
    assert F.dropout1d(ours(np.ones((5, 6)))).shape == (5, 6)
    assert F.dropout2d(ours(np.ones((2, 5, 6)))).shape == (2, 5, 6)
    for shape in ((3,), (2, 3, 4, 5)):
        both_raise(F.dropout1d, T.dropout1d, np.ones(shape), match="(N, C, L)")
    for shape in ((3,), (2, 3), (2, 3, 4, 5, 6)):  # torch warns
        with pytest.raises(ShapeError, match="(N, C, H, W)"):
            F.dropout2d(ours(np.ones(shape)))


# ---------------------------------------------------------------- embedding


@settings(max_examples=40)
@given(data=st.data(), seed=seeds, dtype=kinds, rows=st.integers(1, 5), features=st.integers(1, 3),
       shape=st.lists(st.integers(1, 3), max_size=3), narrow=st.booleans())
def test_embedding(data, seed, dtype, rows, features, shape, narrow):
    rng = np.random.default_rng(seed)
    index = np.asarray(rng.integers(0, rows, shape), "int32" if narrow else "int64")
    padding = data.draw(st.none() | st.integers(-rows, rows - 1))
    weight = rng.standard_normal((rows, features)).astype(dtype)
    # A factor that depends on the weight, so that the gradient has one of its own.
    agree(lambda i, w: F.embedding(i, w * w, padding), lambda i, w: T.embedding(i, w * w, padding),
          index, weight, reduction=16)


def test_embedding_of_nothing():
    agree(F.embedding, T.embedding, np.zeros((0, 2), "int64"), np.ones((3, 0)), order=0)
    agree(F.embedding, T.embedding, np.zeros((2, 2), "int64"), np.ones((3, 0)), order=0)


def test_embedding_refuses():
    both, weight = (F.embedding, T.embedding), np.ones((5, 2))
    assert isinstance(both_raise(*both, np.array([1, 5]), weight, match="row 5"), IndexError)
    assert isinstance(both_raise(*both, np.array([-1]), weight, match="row -1"), IndexError)
    both_raise(*both, np.array([0]), weight[:0], match="0 rows")
    for kind in ("float32", "uint8", "bool"):
        both_raise(*both, np.array([1]).astype(kind), weight, match=kind)
    both_raise(*both, np.array([1]), weight[0], match="weight=(2,)")
    both_raise(*both, np.array([1]), np.ones((2, 3, 4)), match="weight=(2, 3, 4)")
    both_raise(*both, np.array([1]), weight, padding_idx=5, match="padding_idx=5")
    both_raise(*both, np.array([1]), weight, padding_idx=-6, match="padding_idx=-6")
    both_raise(*both, [1], weight, match="input")
    with pytest.raises(TypeError):  # left out whole
        F.embedding(ours(np.array([1])), ours(weight), max_norm=1.0)
