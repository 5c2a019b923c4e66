"""The runner, on submissions to a small exercise: verdicts, the smallest case, causes, messages."""

import time

import numpy as np
import pytest
from hypothesis import strategies as st

from minilearn.contracts import catalogue, contract, course
from minilearn.contracts.contract import Exercise, Raises
from minilearn.contracts.strategies import counted
from minilearn.grading.checking.message import LINES, message
from minilearn.grading.checking.runner import Settings, run_exercise
from minilearn.grading.isolation.child import Local, Reply
from minilearn.grading.teach.release import starters
from minilearn.grading.verdicts import Status

SOLUTION = '''
import numpy as np

def scaled(x, by=1):
    """Return x times by. Raises ValueError when by is negative."""
    if by < 0:
        raise ValueError("negative")
    return x * by
'''
SIZES = st.integers(1, 5)


@pytest.fixture
def exercise(monkeypatch):
    catalogue()  # which is read once, before the solutions are others
    made = Exercise("99_test", "scaled", "Scaling", 5, 1, ("a", "b", "c"), keywords=("by",))
    cases = st.builds(lambda n, by: {"x": counted(n), "by": by}, SIZES, st.integers(0, 6))
    made.property("multiplies", 2, cases, exact=True)(lambda x, by: x * by)
    refused = st.builds(lambda n, by: {"x": counted(n), "by": by}, SIZES, st.integers(-3, -1))
    made.property("refuses", 1, refused)(lambda x, by: Raises("ValueError"))
    made.mistake("you **add** instead of multiplying", ("x * by", "x + by"))
    made.mistake("**by is ignored**", ("x * by", "x * 1"))
    made.mistake("by is **squared**", ("x * by", "x * by * by"))
    monkeypatch.setattr(contract.course, "solutions", lambda lesson: SOLUTION)
    return made


def run(exercise, body, settings=None, **edits):
    source = SOLUTION.replace("return x * by", body)
    return run_exercise(exercise, Local(source.encode(), "99_test.py"), settings or Settings())


def test_the_solution_passes(exercise):
    result = run(exercise, "return x * by")
    assert result.passed and result.points_earned == 3
    assert all(p.examples >= 5 for p in result.properties)
    assert message(result) == "✓ scaled: all 2 properties hold (3 points)"


@pytest.mark.parametrize("body, status, text", [
    ("return x + by", Status.WRONG_VALUE, "you **add** instead"),
    ("return x", Status.WRONG_VALUE, "**by is ignored**"),
    ("return x * by * by", Status.WRONG_VALUE, "by is **squared**"),
    ("return -(x * by)", Status.WRONG_VALUE, "sign reversed"),
    ("return x * 0", Status.WRONG_VALUE, "always zero"),
    ("return 2.0 * x * by", Status.WRONG_VALUE, "**2 times**"),
    ("return (x * by)[:-1]", Status.WRONG_SHAPE, "the shape is (0,), expected (1,)"),
    ("return (x * by).tolist()", Status.WRONG_TYPE, "a list, expected a numpy array"),
    ("return x * by if len(x) < 3 else x.T.undone", Status.EXCEPTION, "AttributeError"),
    ("raise NotImplementedError", Status.NOT_IMPLEMENTED, "minilearn hint scaled"),
    ("return", Status.WRONG_TYPE, "None, expected a numpy array"),
])
def test_verdicts_and_causes(exercise, body, status, text):
    result = run(exercise, body)
    assert result.status == status and not result.passed
    shown = message(result)
    assert text in shown, shown
    assert len(shown.splitlines()) <= LINES
    assert "Traceback" not in shown and "hypothesis" not in shown.lower()


def test_points_are_per_property(exercise):
    result = run(exercise, "return x + by")
    assert [p.status for p in result.properties] == [Status.WRONG_VALUE, Status.PASS]
    assert result.points_earned == 1


def test_a_refusal_that_is_missing(exercise):
    source = SOLUTION.replace("if by < 0:", "if by < -99:")
    result = run_exercise(exercise, Local(source.encode(), "99_test.py"), Settings())
    assert result.status == Status.WRONG_VALUE and result.points_earned == 2
    assert "must raise ValueError" in message(result)


def test_the_smallest_case_is_shown(exercise):
    result = run(exercise, "return x * by if len(x) < 3 else x * 0")
    failure = result.properties[0].failure
    assert failure.case["x"].tolist() == [1.0, 2.0, 3.0] and failure.case["by"] == 1


def test_no_cause_is_named_that_does_not_fit(exercise):
    result = run(exercise, "return x + by if len(x) < 3 else x * by")
    assert not result.causes


def test_a_kept_case_is_tried_first(exercise):
    asked = []

    def answer(n, x, by):
        asked.append((len(x), by))
        return Reply("ok", x) if by == 5 else right(x, by)

    first = {"multiplies": {"x": counted(4), "by": 5}}
    result = run_exercise(exercise, Scripted(answer), Settings(first=first))
    assert asked[0] == (4, 5)
    assert result.properties[0].failure.case["x"].tolist() == [1.0]  # a smaller one is looked for


class Scripted:
    """Answers rightly except where told otherwise."""

    def __init__(self, answer):
        self.answer, self.calls = answer, 0

    def call(self, function, args, kwargs, driver=None):
        self.calls += 1
        return self.answer(self.calls, *args, **kwargs)

    def called(self, function):
        return [function]

    def fresh(self):
        return Scripted(self.answer)

    def close(self):
        pass


def right(x, by):
    return Reply("exception", error="ValueError") if by < 0 else Reply("ok", x * by)


def test_wrong_by_chance_is_told_from_wrong(exercise):
    child = Scripted(lambda n, x, by: Reply("ok", x - 7) if n == 9 else right(x, by))
    result = run_exercise(exercise, child, Settings())
    assert result.status == Status.NONDETERMINISTIC
    assert "chance" in message(result)


def test_the_same_question_is_asked_once(exercise):
    questions = []

    def answer(n, x, by):
        questions.append((x.tobytes(), by))
        return right(x, by)

    run_exercise(exercise, Scripted(answer), Settings(examples=200))
    assert len(questions) == len(set(questions))


@pytest.mark.parametrize("status", ["crashed", "exited", "memory", "protocol"])
def test_a_death_ends_the_search(exercise, status):
    child = Scripted(lambda n, x, by: Reply(status, message="SIGSEGV") if by == 3 else right(x, by))
    result = run_exercise(exercise, child, Settings(examples=200))
    assert result.properties[0].status == status and result.properties[1].status == Status.PASS
    assert child.calls < 300


def test_hangs_are_given_up_after_two(exercise):
    hangs = []

    def answer(n, x, by):
        if by == 2:
            hangs.append(n)
            return Reply("timeout")
        return right(x, by)

    result = run_exercise(exercise, Scripted(answer), Settings(examples=200))
    assert result.properties[0].status == Status.TIMEOUT and len(hangs) <= 2
    assert result.points_earned == 1


def test_what_no_case_can_change_is_asked_once(exercise):
    child = Scripted(lambda n, x, by: Reply("import_error", error="SyntaxError", message="'(' was "
                                            "never closed", line=(1, "def scaled(x:")))
    result = run_exercise(exercise, child, Settings())
    assert child.calls == 1 and result.points_earned == 0
    assert {p.status for p in result.properties} == {Status.IMPORT_ERROR}
    assert "never closed" in message(result) and "line 1" in message(result)


def test_a_failure_of_ours_leaves_the_points_empty(exercise):
    def broken(x, by):
        raise RuntimeError("the reference is broken")

    exercise.properties[0] = type(exercise.properties[0])(
        "broken", 2, exercise.properties[0].cases, broken)
    result = run(exercise, "return x * by")
    assert result.status == Status.GRADER_ERROR and result.points_earned is None
    assert "not your fault" in message(result)


def test_time_is_limited(exercise):
    def slow(n, x, by):
        time.sleep(0.02)
        return Reply("ok", x * 0 - 1)

    started = time.monotonic()
    run_exercise(exercise, Scripted(slow), Settings(examples=10_000, seconds=0.5))
    assert time.monotonic() - started < 5


def test_the_reference_cannot_be_changed_through_its_arguments(exercise):
    def greedy(x, by):
        x *= 0
        return x

    exercise.properties[0] = type(exercise.properties[0])(
        "greedy", 2, exercise.properties[0].cases, greedy)
    result = run(exercise, "return x * by")
    assert np.any(result.properties[0].failure.case["x"])


def in_lesson(name, **versions):
    """Check an exercise of the second lesson, where some others have another text."""
    source = course.solutions("02_training")
    for other, edit in versions.items():
        before, own, after = course.around(source, other)
        source = before + edit(own) + after
    return run_exercise(catalogue()[name], Local(source.encode(), "02_training.py"), Settings(20))


def blank(own):
    return course.around(starters()["02_training.py"], "log_softmax")[1]


def without_the_maximum(own):
    return own.replace("x - x.max(axis=-1, keepdims=True)", "x")


@pytest.mark.parametrize("name", ["cross_entropy", "cross_entropy_grad"])
@pytest.mark.parametrize("edit, status, why", [
    (blank, Status.NOT_IMPLEMENTED, "is not written yet"),
    (without_the_maximum, Status.WRONG_VALUE, "is not right itself"),
])
def test_a_function_that_is_called_is_named_when_it_fails(name, edit, status, why):
    result = in_lesson(name, log_softmax=edit)
    assert result.needs == {"log_softmax": status} and not result.causes
    text = message(result)
    assert f"It calls log_softmax, which {why}. Begin there: minilearn check log_softmax" in text
    assert "Likely cause" not in text and "is due" not in text.splitlines()[0]
    assert ("not yet to be checked" in text) == (status == Status.NOT_IMPLEMENTED)


def test_a_mistake_of_its_own_is_its_own():
    result = in_lesson("cross_entropy", cross_entropy=lambda own: own.replace(".mean()", ".sum()"))
    assert result.needs == {} and not result.passed
    assert "It calls" not in message(result)
    assert in_lesson("cross_entropy").needs == {}
