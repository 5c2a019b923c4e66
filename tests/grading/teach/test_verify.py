"""What an author can get wrong is found."""

import copy

import pytest

from minilearn.contracts import Mistake, catalogue, course
from minilearn.grading.checking.runner import Settings
from minilearn.grading.teach import release, selfcheck, verify
from minilearn.grading.teach.verify import Verified, verify_exercise

NAME, LESSON = "output_size", "03_convolution"
QUICK = Settings(10, 0)


@pytest.fixture
def exercise(monkeypatch):
    """A copy that may be spoilt."""
    spoilt = copy.copy(catalogue()[NAME])
    spoilt.mistakes, spoilt.properties = [*spoilt.mistakes], [*spoilt.properties]
    monkeypatch.setitem(catalogue(), NAME, spoilt)
    return spoilt


def test_a_good_exercise_has_no_problem_and_a_matrix(exercise):
    found = verify_exercise((NAME, 20))
    assert found.problems == []
    assert len(found.matrix) == len(exercise.properties)
    assert all(line.split("  ")[0].strip("x.") == "" for line in found.matrix)
    assert any("x" in line.split("  ")[0] for line in found.matrix)


@pytest.mark.parametrize(("field", "value", "says"), [
    ("title", "", "lacks a title"), ("minutes", 0, "lacks a time"), ("difficulty", 4, "difficulty"),
    ("hints", ("a", "b", " "), "three hints"), ("mistakes", [], "planted mistakes")])
def test_what_is_missing_is_named(exercise, field, value, says):
    setattr(exercise, field, value)
    assert any(says in problem for problem in verify.facts(exercise))


def test_a_mistake_that_is_none_is_not_caught(exercise):
    exercise.mistakes = [Mistake("nothing is wrong", (("reach =", "reach  ="),))]
    found = Verified()
    verify.mistakes(exercise, found)
    assert found.problems == [f"{NAME}: nothing is wrong: is not caught"]
    assert not selfcheck.caught(exercise, exercise.mistakes[0], QUICK)


def test_an_edit_that_does_not_fit_is_reported(exercise):
    exercise.mistakes = [Mistake("gone", (("no such text", ""),))]
    assert any("must be once" in p for p in verify_exercise((NAME, 5)).problems)


def test_a_wrong_solution_is_reported(exercise, monkeypatch):
    wrong = exercise.wrong_source(exercise.mistakes[0])
    monkeypatch.setattr(course, "solutions", lambda lesson: wrong)
    assert any("the solution gets" in p for p in selfcheck.solution(exercise, QUICK))
    assert any("fails with seed" in p for p in verify.solves(exercise, 5))


def test_a_solved_starter_is_reported(exercise, monkeypatch):
    solved = {f"{LESSON}.py": course.solutions(LESSON)}
    monkeypatch.setattr(selfcheck, "_starters", lambda: solved)
    found = selfcheck.blank(exercise, QUICK)
    assert len(found) == len(exercise.properties) and "is pass in" in found[0]


def test_a_good_grader_passes_its_check():
    assert selfcheck.check((NAME, 5)) == []


SOURCE = '''\
import numpy as np


def f(x):
    """Doc."""
    return later(np.asarray(x), 12345)


def later(x, y):
    """Doc."""
    return x
'''


def fake(monkeypatch, source):
    one = copy.copy(catalogue()[NAME])
    two = copy.copy(one)
    one.name, two.name = "f", "later"
    monkeypatch.setattr(verify, "catalogue", lambda: {"f": one, "later": two})
    monkeypatch.setattr(release, "catalogue", lambda: {"f": one, "later": two})
    monkeypatch.setattr(course, "solutions", lambda lesson: source)


def test_an_exercise_that_needs_a_later_one_is_reported(monkeypatch):
    fake(monkeypatch, SOURCE)
    assert "f needs later, which comes later" in verify.order()
    assert not any("later needs" in p for p in verify.order())


def test_a_solution_that_can_be_read_elsewhere_is_reported(monkeypatch):
    fake(monkeypatch, SOURCE)
    assert verify.texts() == []
    line = "    return later(np.asarray(x), 12345)\n"
    fake(monkeypatch, SOURCE + "\n\ndef helper(x):\n" + line)
    assert any("shows a line of a solution" in p for p in verify.texts())


def test_imports_that_exercises_may_not_use_are_reported(monkeypatch):
    fake(monkeypatch, "import torch.nn\nfrom os import path\n" + SOURCE)
    assert [p for p in verify.texts() if "imports" in p] == [
        f"solutions/{LESSON}.py imports torch.nn", f"solutions/{LESSON}.py imports os"]


def test_a_starter_that_differs_outside_is_reported():
    source, starter = course.solutions(LESSON), release.starters()[f"{LESSON}.py"]
    assert verify._differences(LESSON, source, starter) == []
    assert verify._differences(LESSON, source, starter.replace("import numpy", "import  numpy"))
    assert verify._differences(LESSON, source, starter + "print('more')\n")


def test_stale_and_stray_starters_are_reported(tmp_path, monkeypatch):
    monkeypatch.setattr(course, "folder", lambda kind: tmp_path)
    release.release(tmp_path)
    assert verify.files() == []
    (tmp_path / f"{LESSON}.py").write_text("")
    (tmp_path / "99_other.py").write_text("")
    found = verify.files()
    assert len(found) == 2 and "is stale" in found[0] and "99_other.py" in found[1]


def test_what_the_exercises_share_is_as_it_must_be():
    said = []
    assert verify.verify(["add_grad"], 20, 1, said.append) == []
    assert said[0] == "✓ add_grad" and len(said) == 1 + len(catalogue()["add_grad"].properties)
