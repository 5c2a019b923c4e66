"""Copied code is found under other names; the starter's and everyone's code does not count."""

import pytest

from minilearn.contracts import course
from minilearn.grading.teach.release import starters
from minilearn.grading.teach.similar import fingerprints, lay_out, similar, table
from minilearn.grading.teach.store import GradingError

FILE = "03_convolution.py"
COPIED = """
def conv2d(x, w, b, stride=1, padding=0):
    total = 0
    for i in range(len(x)):
        for j in range(stride):
            total += x[i] * w[j] if padding > 3 else b - total
    return [total, (total + 1) ** 2, {"a": total}]
"""
DISGUISED = COPIED.replace("total", "summe").replace(" i ", " zeile ").replace("[i]", "[zeile]") \
    .replace("    return", "    # my own work\n    return").replace("3", "17")
OTHER = """
def conv2d(x, w, b, stride=1, padding=0):
    import math
    while stride < len(w):
        x, w = w[::-1], {k: v for k, v in zip(x, w)}
        assert not isinstance(x, (list, tuple)), f"odd {x}"
    return lambda q: math.sqrt(q @ b) or [z for z in q if z is not None]
"""


@pytest.fixture
def hand_in(tmp_path):
    def write(**texts):
        for student, text in texts.items():
            (tmp_path / student).mkdir()
            (tmp_path / student / FILE).write_text(starters()[FILE] + text, "utf-8")
        return tmp_path

    return write


def test_a_disguised_copy_is_found_and_honest_work_is_not(hand_in):
    pairs = similar(hand_in(ada=COPIED, bob=DISGUISED, cyd=OTHER))
    assert [(p.one, p.other) for p in pairs] == [("ada", "bob")]
    assert pairs[0].share > 0.95 and pairs[0].files == (FILE,)
    assert "ada  bob" in table(pairs) and "Look before" in table(pairs)


def test_the_starter_does_not_count(hand_in):
    assert similar(hand_in(ada="", bob="", cyd=OTHER), 0.0) == []
    assert "No two" in table([])


def test_what_most_of_the_class_writes_does_not_count(hand_in):
    folder = hand_in(**{f"s{i}": COPIED for i in range(9)}, ada=OTHER, bob=OTHER)
    assert [(p.one, p.other) for p in similar(folder)] == [("ada", "bob")]


def test_files_that_are_no_python_have_no_fingerprints(hand_in):
    assert fingerprints("def f(:\n  '''") == set()
    assert similar(hand_in(ada="\n(((", bob="\n(((")) == []


def test_layout_for_other_tools(hand_in, tmp_path):
    out = tmp_path / "for_tools"
    assert lay_out(hand_in(ada=COPIED), out) == 1
    assert (out / "base" / FILE).read_text("utf-8") == starters()[FILE]
    assert COPIED in (out / "submissions" / "ada" / FILE).read_text("utf-8")
    assert course.solutions("03_convolution") not in (out / "base" / FILE).read_text("utf-8")


def test_no_folder(tmp_path):
    with pytest.raises(GradingError, match="is no folder"):
        similar(tmp_path / "none")
