"""Hostile submissions get their exact verdict, and a wrong verdict would be noticed."""

from dataclasses import replace

import pytest

from minilearn.grading.teach.hostile import ATTACKS
from minilearn.grading.teach.selftest import attempt, files, judge, odd, selftest
from minilearn.grading.verdicts import Status

QUICK = "1", "2", "3", "4", "6", "8a", "13", "14", "16", "18a"
BY_NUMBER = {a.number: a for a in ATTACKS}


def test_every_line_of_the_list_is_there():
    assert {a.number.rstrip("abc") for a in ATTACKS} == {str(n) for n in range(1, 26)}
    assert len(BY_NUMBER) == len(ATTACKS)


@pytest.mark.parametrize("number", QUICK)
def test_verdicts_of_the_quick_ones(number):
    attack = BY_NUMBER[number]
    assert judge(attack, attempt(attack)) == []


@pytest.mark.slow
def test_all_verdicts():
    lines = []
    assert selftest(None, lines.append) == 0, "\n".join(lines)
    assert lines[-1] == f"{len(ATTACKS)} of {len(ATTACKS)} verdicts are right."


def entries(**changes):
    entry = {"status": "wrong_type", "points_earned": 0, "points_possible": 5, "flags": [],
             "message": "list", "output_truncated": False}
    return {"conv2d": entry | changes, "output_size": {"status": "pass"}}


@pytest.mark.parametrize(("changes", "says"), [
    ({"status": "pass"}, "is pass, must be wrong_type"), ({"points_earned": 5}, "gets 5 of 5"),
    ({"points_earned": None}, "gets None"), ({"message": "no"}, "does not say 'list'"),
    ({"message": "list Traceback"}, "inside of the grader")])
def test_a_wrong_verdict_is_noticed(changes, says):
    assert judge(BY_NUMBER["6"], entries()) == []
    assert any(says in sentence for sentence in judge(BY_NUMBER["6"], entries(**changes)))


def test_a_neighbour_that_suffers_a_flag_and_a_cut_are_noticed():
    suffers = entries() | {"output_size": {"status": "crashed"}}
    assert any("output_size beside it is crashed" in s for s in judge(BY_NUMBER["6"], suffers))
    strict = replace(BY_NUMBER["6"], flag="read_outside", truncated=True)
    assert len(judge(strict, entries())) == 2


def test_selftest_reports_a_failure(monkeypatch):
    monkeypatch.setattr(
        "minilearn.grading.teach.selftest.attempt", lambda a: entries(status="pass"))
    lines = []
    assert selftest(["6"], lines.append) == 1
    assert lines[0].startswith("✗   6") and lines[-1] == "0 of 1 verdicts are right."
    assert selftest(["99"], lines.append) == 1  # there is no such attack


def test_the_odd_file_is_odd_and_no_attack_is_a_solution():
    text = odd("def f():\n    return 1\n")
    assert text.startswith(b"\xef\xbb\xbf") and b"\r\n\treturn 1\r\n" in text
    assert files(BY_NUMBER["3"]).keys() == {"02_training.py"}
    assert b"def right(" in files(BY_NUMBER["6"])["03_convolution.py"]
    assert BY_NUMBER["1"].status == (Status.NOT_IMPLEMENTED,)
