"""One submission: verdicts as plain data, kept where they still hold, empty where we failed."""

import json

import pytest

from minilearn.contracts import catalogue, course
from minilearn.grading.checking.runner import Settings
from minilearn.grading.teach import grade
from minilearn.grading.teach.grade import content, grade_submission, holds, seed_id
from minilearn.grading.teach.release import starters

FILE = "03_convolution.py"
QUICK = Settings(examples=5, seed=11)
ONE = ["output_size"]


@pytest.fixture(scope="module")
def right():
    return {FILE: course.solutions("03_convolution").encode()}


def one(files, **options):
    return grade_submission(files, QUICK, ONE, **options)["exercises"]["output_size"]


def test_a_solution_gets_all_points_and_everything_is_json(right):
    result = grade_submission(right, QUICK, ONE)
    entry = result["exercises"]["output_size"]
    assert entry["status"] == "pass" and entry["causes"] == [] and entry["case"] is None
    assert entry["points_earned"] == entry["points_possible"] == catalogue()["output_size"].points
    assert [p["status"] for p in entry["properties"]] == ["pass", "pass"]
    assert result["schema"] == 1 and result["content_sha256"] == content(right)
    assert {"python", "numpy", "torch", "hypothesis"} <= result["versions"].keys()
    assert json.loads(json.dumps(result, allow_nan=False)) == result
    assert "11" not in result["seed_id"] or result["seed_id"] == seed_id(11)


def test_a_wrong_one_has_a_case_a_cause_and_a_message():
    e = catalogue()["conv2d"]
    mistake = next(m for m in e.mistakes if "padding is ignored" in m.sentence)
    result = grade_submission({FILE: e.wrong_source(mistake).encode()}, Settings(30, 1), ["conv2d"])
    entry = result["exercises"]["conv2d"]
    assert entry["causes"] == [mistake.sentence] and "padding is ignored" in entry["message"]
    assert entry["case"]["id"] in entry["message"] and "padding" in entry["case"]["text"]
    failed = [p for p in entry["properties"] if p["status"] != "pass"]
    assert failed[0]["case"] == entry["case"]["id"] and failed[0]["message"]
    assert entry["points_earned"] == sum(p["points_earned"] for p in entry["properties"])


def test_a_blank_exercise_offers_no_case_to_replay():
    entry = one({FILE: starters()[FILE].encode()})
    assert (entry["status"], entry["points_earned"], entry["case"]) == ("not_implemented", 0, None)


def test_a_missing_file_names_what_is_there_and_what_may_be_meant():
    entry = one({"02_training.py": b""}, near={FILE: "03_convolution (1).py"})
    assert (entry["status"], entry["points_earned"]) == ("missing", 0)
    for text in (FILE, "02_training.py", "Rename 03_convolution (1).py"):
        assert text in entry["message"]


def test_an_unreadable_file_says_why():
    entry = one({}, unreadable={FILE: "is a link, not a file"})
    assert (entry["status"], entry["points_earned"]) == ("unreadable", 0)
    assert "is a link" in entry["message"]


def test_our_own_failure_leaves_the_points_empty(right, monkeypatch):
    def broken(*_):
        raise OSError("disk full")

    monkeypatch.setattr(grade, "run_exercise", broken)
    entry = one(right)
    assert entry["status"] == "grader_error" and entry["points_earned"] is None
    assert "disk full" in entry["trace"] and "Traceback" not in entry["message"]
    assert not holds(entry, entry["key"])


def test_when_the_time_is_up_the_rest_is_a_timeout(right):
    assert one(right, seconds=-1)["status"] == "timeout"


def test_what_has_not_changed_is_kept_and_what_has_is_graded_again(right, monkeypatch):
    first = grade_submission(right, QUICK, ONE)["exercises"]
    graded = []
    real = grade.run_exercise
    monkeypatch.setattr(grade, "run_exercise", lambda e, *a: graded.append(e.name) or real(e, *a))
    assert grade_submission(right, QUICK, ONE, earlier=first)["exercises"] == first
    assert graded == []
    changed = {FILE: right[FILE] + b"\n# a remark\n"}
    for files, settings in ((changed, QUICK), (right, Settings(5, 12)), (right, Settings(6, 11))):
        graded.clear()
        grade_submission(files, settings, ONE, earlier=first)
        assert graded == ONE


def test_outcomes_of_other_exercises_stay_only_if_they_hold(right):
    first = grade_submission(right, QUICK, ONE)["exercises"]
    kept = grade_submission(right, QUICK, ["unfold"], earlier=first)["exercises"]
    assert kept.keys() == {"output_size", "unfold"}
    changed = {FILE: right[FILE] + b"\n"}
    assert grade_submission(changed, QUICK, ["unfold"], earlier=first)["exercises"].keys() == {
        "unfold"}


def test_one_exercise_does_not_disturb_the_next():
    source = course.solutions("03_convolution")
    before, body, after = course.around(source, "output_size")
    evil = body.replace("    reach =", "    np.pad = np.einsum = None\n    reach =", 1)
    result = grade_submission({FILE: (before + evil + after).encode()}, QUICK,
                              ["output_size", "conv2d"])
    assert result["exercises"]["conv2d"]["status"] == "pass"


def test_a_change_of_a_contract_changes_only_its_lesson(tmp_path, monkeypatch):
    old = {name: grade.lesson_version(name) for name in ("02_training", "03_convolution")}
    lesson, real = "03_convolution", course.solutions
    monkeypatch.setattr(course, "solutions", lambda n: real(n) + ("#" if n == lesson else ""))
    grade.lesson_version.cache_clear()
    try:
        assert grade.lesson_version("02_training") == old["02_training"]
        assert grade.lesson_version(lesson) != old[lesson]
    finally:
        grade.lesson_version.cache_clear()
