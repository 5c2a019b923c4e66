"""The comparison accepts nothing by accident: no broadcast, no NaN, no conversion."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from minilearn.grading.checking.compare import difference, kind, plain
from minilearn.grading.verdicts import Status

DUE = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])


class Agreeable(np.ndarray):
    def __eq__(self, other):
        return True


@pytest.mark.parametrize("got, status", [
    (DUE.tolist(), Status.WRONG_SHAPE),
    ([[1.0]], Status.WRONG_TYPE),
    (None, Status.WRONG_TYPE),
    (6.0, Status.WRONG_TYPE),
    (DUE.view(Agreeable), Status.WRONG_TYPE),
    (DUE.T, Status.WRONG_SHAPE),
    (DUE[None], Status.WRONG_SHAPE),
    (np.ones((1, 3)), Status.WRONG_SHAPE),
    (np.empty((0, 3)), Status.WRONG_SHAPE),
    (DUE.astype(np.float32), Status.WRONG_TYPE),
    (DUE.astype(np.int64), Status.WRONG_TYPE),
    (DUE * np.nan, Status.WRONG_VALUE),
    (DUE * (1 + 1e-6), Status.WRONG_VALUE),
])
def test_arrays_that_are_not_what_is_due(got, status):
    found = difference(got, DUE)
    if isinstance(got, list):
        status = Status.WRONG_TYPE
    assert found is not None and found.status == status, found


def test_one_nan_is_found_and_shown():
    got = DUE.copy()
    got[1, 2] = np.nan
    found = difference(got, DUE)
    assert found.index == (1, 2) and found.wrong.sum() == 1
    assert "nan where 6 is due, at [1, 2] (1 of 6 are wrong)" in found.text


def test_nan_and_infinity_where_they_are_due():
    due = np.array([np.nan, np.inf, -np.inf, 1.0])
    assert difference(due.copy(), due) is None
    for i in range(4):
        got = due.copy()
        got[i] = 7.0
        assert difference(got, due).index == (i,)
    assert difference(-due, due).index == (1,)


@given(st.floats(-1e6, 1e6), st.sampled_from([0.0, 1e-12, 1e-6]))
def test_tolerance_is_relative_and_exact_means_exact(x, error):
    got, due = np.array([x + error * max(abs(x), 1)]), np.array([x])
    assert (difference(got, due, exact=True) is None) == bool(got[0] == x)
    if error == 0:
        assert difference(got, due) is None
    if error == 1e-6:
        assert difference(got, due) is not None
    if error == 1e-12 and abs(x) > 1e-2:
        assert difference(got, due) is None


def test_float32_is_compared_with_its_own_precision():
    due = np.array([1.0, 3.0], np.float32)
    assert difference(due * np.float32(1 + 1e-6), due) is None
    assert difference(due * np.float32(1 + 1e-3), due).status == Status.WRONG_VALUE
    assert difference(due * np.float32(1 + 1e-6), due, exact=True) is not None


@pytest.mark.parametrize("got, due, status", [
    (1.0, 1.0, None),
    (1, 1.0, None),
    (np.array(1.0), 1.0, None),
    (np.array([1.0]), 1.0, Status.WRONG_SHAPE),
    (True, 1.0, Status.WRONG_TYPE),
    ("1", 1.0, Status.WRONG_TYPE),
    (2.0, 2, Status.WRONG_TYPE),
    (float("nan"), 1.0, Status.WRONG_VALUE),
    (1, True, Status.WRONG_TYPE),
    (False, True, Status.WRONG_VALUE),
    ("a", "b", Status.WRONG_VALUE),
    (0, None, Status.WRONG_TYPE),
    ((1, 2), (1, 2, 3), Status.WRONG_SHAPE),
    ([1, 2], (1, 2), None),
    (3, (1, 2), Status.WRONG_TYPE),
    ({"a": 1}, {"a": 1}, None),
    ({"b": 1}, {"a": 1}, Status.WRONG_VALUE),
    ([], {"a": 1}, Status.WRONG_TYPE),
])
def test_numbers_and_structures(got, due, status):
    found = difference(got, due)
    assert (found.status if found else None) == status, found


def test_the_way_to_a_difference_is_told():
    assert difference((1, {"a": [1, 2]}), (1, {"a": [1, 3]})).where == "[1]['a'][1]"


def test_integers_of_any_size_and_no_floats_for_them():
    due = np.array([1, 2])
    assert difference(due.astype(np.int32), due) is None
    assert difference(due.astype(float), due).status == Status.WRONG_TYPE
    assert difference(due > 1, due).status == Status.WRONG_TYPE


def test_references_become_plain_values():
    made = plain({"a": (torch.ones(2), torch.tensor(3.0)), "b": [np.float64(2), None]})
    assert isinstance(made["a"][0], np.ndarray) and made["a"][1] == 3.0
    assert type(made["a"][1]) is float and type(made["b"][0]) is float


def test_kinds_are_named():
    assert kind([1]) == "a list" and kind(None) == "None" and kind(1) == "an int"
    assert kind(DUE) == "an array of shape (2, 3)"
