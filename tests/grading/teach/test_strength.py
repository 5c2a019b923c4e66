"""The published strength of the graders, and the check that it does not drop."""

import pytest

from minilearn.contracts import catalogue
from minilearn.grading.teach.strength import Caught, Totals, drops, published, read_totals, strength
from minilearn.grading.verdicts import Status


def row(exercise, mistake="m", prop="p", causes=("m",)):
    return Caught(exercise, mistake, Status.WRONG_VALUE, prop, 3, causes)


ROWS = [row("conv"), row("conv", "other", causes=()), row("pool")]


def test_totals_are_published_and_can_be_read_again():
    page = published(ROWS)
    assert read_totals(page) == {"conv": Totals(2, 2, 1, 0), "pool": Totals(1, 1, 1, 0)}
    assert "**3 of 3 mistakes are caught, 2 called by their name; 0 diagnoses are false.**" in page
    assert "| conv | other | p | 3 | none |" in page


@pytest.mark.parametrize(("rows", "says"), [
    ([row("conv"), row("conv", "other", prop="", causes=()), row("pool")], "are caught, 2 before"),
    ([row("conv", causes=()), row("conv", "other", causes=()), row("pool")], "name, 1 before"),
    ([row("conv"), row("conv", "other", causes=("m",)), row("pool")], "1 diagnoses are false"),
    ([row("conv"), row("pool")], "only 1 mistakes are planted, 2 before"),
    ([row("conv"), row("conv", "other", causes=())], "pool is no longer there")])
def test_a_drop_is_noticed(rows, says):
    before = published(ROWS)
    assert drops(before, before) == []
    assert any(says in sentence for sentence in drops(before, published(rows)))


def test_getting_better_is_no_drop():
    better = [row("conv"), row("conv", "other", causes=("other",)), row("pool"), row("new")]
    assert drops(published(ROWS), published(better)) == []


def test_an_exercise_is_measured():
    exercise = catalogue()["output_size"]
    rows = strength(exercise)
    assert [r.mistake for r in rows] == [m.sentence for m in exercise.mistakes]
    assert all(r.caught and not r.misnamed for r in rows)
