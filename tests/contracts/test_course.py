"""Every exercise: complete, passed by its solution, failed by its blank and by every mistake."""

from pathlib import Path

import pytest

from minilearn.contracts import catalogue, course
from minilearn.contracts.contract import MODULES
from minilearn.grading.checking.message import message
from minilearn.grading.checking.runner import Settings, run_exercise
from minilearn.grading.isolation.local import Local
from minilearn.grading.teach import strength
from minilearn.grading.verdicts import Status

ROOT = Path(__file__).parents[2]
EXERCISES = list(catalogue().values())
by_exercise = pytest.mark.parametrize("exercise", EXERCISES, ids=lambda e: e.name)


def run(exercise, source, examples=25, seed=7):
    local = Local(source.encode(), f"{exercise.lesson}.py")
    return run_exercise(exercise, local, Settings(examples, seed))


def test_the_course_is_large_enough():
    assert len(EXERCISES) >= 40
    assert {e.lesson for e in EXERCISES} == set(MODULES)
    assert sum(len(e.mistakes) for e in EXERCISES) >= 6 * len(EXERCISES)


@by_exercise
def test_it_is_complete(exercise):
    assert len(exercise.hints) == 3 and all(exercise.hints)
    assert len(set(exercise.hints)) == 3 and exercise.title
    assert 1 <= exercise.difficulty <= 3 and 1 <= exercise.minutes <= 60
    assert exercise.properties and all(p.points >= 1 for p in exercise.properties)
    assert len(exercise.mistakes) >= 5
    sentences = [m.sentence for m in exercise.mistakes]
    assert len(set(sentences)) == len(sentences)
    names = [p.name for p in exercise.properties]
    assert len(set(names)) == len(names)
    _, body, _ = course.around(course.solutions(exercise.lesson), exercise.name)
    assert '"""' in body


@by_exercise
def test_the_blank_is_not_implemented(exercise):
    blank = (course.folder("exercises") / f"{exercise.lesson}.py").read_text("utf-8")
    result = run(exercise, blank)
    assert {p.status for p in result.properties} == {Status.NOT_IMPLEMENTED}
    assert result.points_earned == 0


@pytest.mark.slow
@by_exercise
def test_the_solution_passes(exercise):
    for seed in range(5):
        result = run(exercise, course.solutions(exercise.lesson), 40, seed)
        assert result.passed, message(result)


PUBLISHED = strength.read_totals((ROOT / "docs" / "results" / "graders.md").read_text("utf-8"))


@pytest.mark.slow
@by_exercise
def test_mistakes_are_caught_and_named_as_published(exercise):
    rows = strength.strength(exercise)
    totals = strength.Totals.of(rows)
    assert totals.caught == totals.mistakes == len(exercise.mistakes), rows
    assert totals.false == 0, rows
    assert not totals.worse(PUBLISHED[exercise.name])
    assert totals.named >= 0.8 * totals.mistakes


def test_what_is_published_is_strong_enough():
    assert set(PUBLISHED) >= {e.name for e in EXERCISES}
    each = [PUBLISHED[e.name] for e in EXERCISES]
    assert sum(t.named for t in each) >= 0.95 * sum(t.mistakes for t in each)
    assert not any(t.false for t in each)
