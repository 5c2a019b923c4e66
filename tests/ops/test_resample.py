"""Picking places by a list, and adding up where they were picked."""

import numpy as np
from against_torch import host
from hypothesis import given
from hypothesis import strategies as st

import minilearn as ml
from minilearn.ops.resample import pick, unpick


@st.composite
def lists(draw):
    """An input, a dimension of it (from the end) and a list of its places and the one after."""
    shape = draw(st.tuples(*[st.integers(1, 5)] * 3))
    dim = draw(st.integers(-3, -1))
    places = draw(st.lists(st.integers(0, shape[dim]), max_size=9))
    return np.random.default_rng(0).standard_normal(shape), dim, tuple(places)


@given(lists())
def test_pick_takes_and_the_place_after_the_last_is_zero(case):
    x, dim, places = case
    got = host(pick(ml.tensor(x), dim=dim, places=places))
    longer = np.concatenate([x, np.zeros_like(np.take(x, [0], dim))], dim)
    np.testing.assert_array_equal(got, np.take(longer, np.array(places, int), dim))


@given(lists())
def test_unpick_is_the_transpose_and_both_differentiate_to_each_other(case):
    x, dim, places = case
    a = ml.tensor(x, requires_grad=True)
    y = pick(a, dim=dim, places=places)
    g = ml.tensor(np.random.default_rng(1).standard_normal(y.shape), requires_grad=True)
    (dx,) = ml.grad(y, a, g, create_graph=True)
    spread = unpick(g, dim=dim, places=places, size=x.shape[dim])
    np.testing.assert_array_equal(host(dx), host(spread))
    np.testing.assert_allclose((host(y) * host(g)).sum(), (x * host(dx)).sum(), atol=1e-12)
    (again,) = ml.grad(dx, g, ml.tensor(x))
    np.testing.assert_array_equal(host(again), host(y))


def test_infinity_stays_in_its_place():
    g = ml.tensor(np.array([np.inf, 1.0, 2.0]))
    assert host(unpick(g, dim=0, places=(0, 2, 2), size=3)).tolist() == [np.inf, 0, 3]
