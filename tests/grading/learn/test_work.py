"""A learner's folder: nothing is lost, nothing is believed that is no longer so."""

import json

import pytest

from minilearn.contracts import catalogue, course
from minilearn.grading.learn import learner
from minilearn.grading.learn.work import STATE, Work, WorkError, select
from minilearn.grading.verdicts import Status

EXERCISE = catalogue()["output_size"]
OTHER = catalogue()["conv2d"]


def test_start_copies_every_lesson_and_overwrites_nothing(tmp_path):
    work, new = Work.start(tmp_path / "mine")
    names = {p.name for p in new}
    assert names >= {f"{e.lesson}.py" for e in catalogue().values()}
    mine = work.file(EXERCISE)
    mine.write_text("# my work\n")
    work.file(catalogue()["linear"]).unlink()
    again, new = Work.start(tmp_path / "mine")
    assert mine.read_text() == "# my work\n"
    assert [p.name for p in new] == ["02_training.py"]


def test_a_blank_folder_has_nothing_done(work):
    assert work.next() is next(iter(catalogue().values()))
    assert not any(work.done(e) for e in catalogue().values())


def test_found_from_below_and_refused_elsewhere(work, tmp_path, monkeypatch):
    deep = work.folder / "notes" / "more"
    deep.mkdir(parents=True)
    monkeypatch.chdir(deep)
    assert Work.find().folder == work.folder.resolve()
    with pytest.raises(WorkError, match="minilearn start"):
        Work.find(tmp_path)


def test_done_follows_the_code(work, solve):
    assert learner.check(work, EXERCISE).status == Status.NOT_IMPLEMENTED
    solve(EXERCISE)
    assert not work.done(EXERCISE)  # not before it is checked
    assert learner.check(work, EXERCISE).passed and work.done(EXERCISE)
    solve(OTHER)
    assert work.done(EXERCISE)  # another exercise in the same file is not its business
    path = work.file(EXERCISE)
    path.write_text(path.read_text("utf-8").replace("// stride + 1", "// stride + 2"), "utf-8")
    assert not work.done(EXERCISE)
    path.write_text("import math\n" + path.read_text("utf-8"), "utf-8")
    assert not work.done(EXERCISE)


def test_state_is_readable_and_survives(work, solve):
    solve(EXERCISE)
    learner.check(work, EXERCISE)
    learner.hint(work, OTHER)
    kept = json.loads((work.folder / STATE).read_text("utf-8"))["exercises"]
    assert kept["output_size"]["passed"] and kept["conv2d"]["hints"] == 1
    again = Work.find(work.folder)
    assert again.done(EXERCISE) and again.record(OTHER).hints == 1
    moved = work.folder.rename(work.folder.with_name("elsewhere"))
    assert Work.find(moved).done(EXERCISE)


def test_unknown_facts_of_a_newer_version_do_no_harm(work):
    text = '{"minilearn": 1, "exercises": {"conv2d": {"passed": true, "mood": "good"}}}'
    (work.folder / STATE).write_text(text)
    assert Work.find(work.folder).record(OTHER).passed


@pytest.mark.parametrize("text", ["", "{", "[]", '{"exercises": 3}', '{"exercises": {"a": 1}}'])
def test_a_broken_state_is_named_and_the_way_out_told(work, text):
    (work.folder / STATE).write_text(text)
    with pytest.raises(WorkError, match="check --all"):
        Work.find(work.folder)


def test_a_failing_case_is_kept_and_tried_first(work, solve):
    solve(EXERCISE, "// stride + 1", "// stride")
    result = learner.check(work, EXERCISE)
    failed = next(p for p in result.properties if p.failure)
    name, prop, case = work.case(f"output_size#{failed.case_id}")
    assert (name, prop, case) == ("output_size", failed.prop.name, failed.failure.case)
    assert work.first_cases(EXERCISE)[prop] == case
    assert learner.check(work, EXERCISE).status == result.status
    path = work.file(EXERCISE)
    path.write_text("def broken(:\n")
    learner.check(work, EXERCISE)
    assert work.first_cases(EXERCISE) == {prop: case}  # a syntax error is no case


def test_unknown_and_broken_cases(work, tmp_path):
    with pytest.raises(WorkError, match="no case 'output_size#123456'"):
        work.case("output_size#123456")
    (tmp_path / "case.json").write_text("{}")
    with pytest.raises(WorkError, match="no case file"):
        work.case(str(tmp_path / "case.json"))


def test_reset_keeps_a_backup_and_the_other_exercises(work, solve):
    solve(EXERCISE)
    solve(OTHER)
    before = work.file(EXERCISE).read_bytes()
    saved = work.reset(EXERCISE)
    assert saved.read_bytes() == before
    assert work.reset(EXERCISE) != saved  # a second backup is another file
    _, body, _ = course.around(work.file(EXERCISE).read_text("utf-8"), "conv2d")
    assert "NotImplementedError" not in body
    assert learner.check(work, EXERCISE).status == Status.NOT_IMPLEMENTED


def test_reset_of_what_is_no_python_loses_nothing(work):
    work.file(EXERCISE).write_text("def output_size(:\n")
    with pytest.raises(WorkError, match="cannot be read as Python"):
        work.reset(EXERCISE)
    assert work.file(EXERCISE).read_text() == "def output_size(:\n"


def test_a_missing_file_is_named(work):
    work.file(EXERCISE).unlink()
    with pytest.raises(WorkError, match="brings missing files back"):
        learner.check(work, EXERCISE)
    assert not work.done(EXERCISE)


@pytest.mark.parametrize("names", [["03"], ["3"], ["03_convolution"], ["convolution"],
                                   ["03_convolution.py"], ["some/where/03_convolution.py"]])
def test_a_lesson_by_any_name(names):
    lesson = [e.name for e in catalogue().values() if e.lesson == "03_convolution"]
    assert [e.name for e in select(names)] == lesson


def test_exercises_by_name_once_and_near_names():
    assert [e.name for e in select(["conv2d", "output_size", "conv2d"])] == ["conv2d",
                                                                            "output_size"]
    with pytest.raises(WorkError, match="did you mean .*conv2d"):
        select(["conv_2d"])
    with pytest.raises(WorkError, match="minilearn list"):
        select(["xyzzy"])


@pytest.mark.parametrize("text, status", [
    ("def output_size(:\n", Status.IMPORT_ERROR),
    ("x = 1\n", Status.MISSING),
    ("def outputsize(n, kernel):\n    return 1\n", Status.MISSING),
    ("import torch\ndef output_size(n, kernel, stride=1, padding=0, dilation=1):\n    return 1\n",
     Status.FORBIDDEN),
])
def test_files_that_cannot_be_checked(work, text, status):
    work.file(EXERCISE).write_text(text)
    result = learner.check(work, EXERCISE)
    assert result.status == status
    assert "Traceback" not in learner.report(result)


def test_windows_text_and_a_bom_are_fine(work, solve):
    solve(EXERCISE)
    path = work.file(EXERCISE)
    text = path.read_text("utf-8").replace("\n", "\r\n")
    path.write_bytes(b"\xef\xbb\xbf" + text.encode() + "# é ✓\r\n".encode())
    assert learner.check(work, EXERCISE).passed and work.done(EXERCISE)
