"""A class: everyone graded, nothing lost, nothing graded twice, nothing guessed."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from minilearn.contracts import catalogue, course
from minilearn.grading.teach import batch, selfcheck
from minilearn.grading.teach.batch import GRADED, INTERRUPTED, INVALID, TROUBLE, Order, grade_batch
from minilearn.grading.teach.merge import merge
from minilearn.grading.teach.store import GradingError, Store, read_json, read_roster
from minilearn.grading.teach.workers import Lost

FILE, RIGHT = "03_convolution.py", course.solutions("03_convolution")
ROOT = Path(__file__).parents[3]


class Here:
    """Does the work of `Workers` in this process; `broken` tasks are lost."""

    broken: tuple[str, ...] = ()

    def __init__(self, jobs):
        self.jobs = jobs

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def map(self, function, tasks, patience=0):
        for task in tasks:
            lost = getattr(task, "student", None) in self.broken
            yield task, Lost("the worker ended") if lost else function(task)


@pytest.fixture
def here(monkeypatch):
    monkeypatch.setattr(batch, "Workers", Here)
    monkeypatch.setattr(Here, "broken", ())
    monkeypatch.setattr(selfcheck, "check", lambda task: [])


@pytest.fixture
def order(tmp_path):
    folder = tmp_path / "hw3"
    wrong = RIGHT.replace("dilation * (kernel", "(kernel")
    for student, text in {"ada": RIGHT, "bob": wrong}.items():
        (folder / student).mkdir(parents=True)
        (folder / student / FILE).write_text(text, "utf-8")
    return Order(folder, tmp_path / "out", only=("output_size",), examples=8)


def rows(out):
    with open(out / "gradebook.csv", encoding="utf-8", newline="") as file:
        return {row["student_id"]: row for row in csv.DictReader(file)}


def grade(order, **changes):
    lines = []
    return grade_batch(replace(order, **changes), lines.append), lines


def test_a_class_is_graded(here, order):
    with zipfile.ZipFile(order.folder / "cyd.zip", "w") as archive:
        archive.writestr(f"work/{FILE}", RIGHT)
    (order.folder / "dan" / "exercises").mkdir(parents=True)
    (order.folder / "dan" / "exercises" / FILE).write_text(RIGHT, "utf-8")
    (order.folder / "dan" / "notes.txt").write_text("hello")
    (order.folder / "eve").mkdir()
    (order.folder / "stray.txt").write_text("?")
    (order.folder / "link").symlink_to(order.folder / "ada")
    status, lines = grade(order, roster=({"student_id": "fay", "name": "Fay"},))
    assert status == GRADED
    found = rows(order.out)
    full = str(catalogue()["output_size"].points)
    assert {s: r["points_earned"] for s, r in found.items()} == {
        "ada": full, "bob": found["bob"]["points_earned"], "cyd": full, "dan": full, "eve": "0",
        "fay": "0"}
    assert 0 <= int(found["bob"]["points_earned"]) < int(full)
    assert {s: r["status"] for s, r in found.items()} == {
        "ada": "graded", "bob": "graded", "cyd": "graded", "dan": "graded", "eve": "missing",
        "fay": "missing"}
    assert found["ada"]["sealed"] in ("yes", "no") and found["ada"]["submission"] == "ada"
    text = "\n".join(lines)
    assert "stray.txt is neither" in text and "link is neither" in text
    assert "[5/5]" in text and "left" in text
    assert {"results.csv", "points.csv", "summary.html", "batch.json", "seed.txt"} <= {
        p.name for p in order.out.iterdir()}


def test_resume_grades_only_what_changed(here, order, monkeypatch):
    grade(order)
    before = Store(order.out).result("ada")["exercises"]
    graded = []
    real = batch.grade_submission

    def watched(files, *args, **options):
        result = real(files, *args, **options)
        kept = result["exercises"] == options["earlier"]
        graded.append(kept)
        return result

    monkeypatch.setattr(batch, "grade_submission", watched)
    (order.folder / "bob" / FILE).write_text(RIGHT, "utf-8")
    (order.out / "results" / "ada.json").touch()
    status, _ = grade(order, resume=True)
    assert status == GRADED and graded == [True, False]
    assert Store(order.out).result("ada")["exercises"] == before
    assert rows(order.out)["bob"]["percent"] == "100"


def test_only_adds_an_exercise_to_what_is_there(here, order):
    grade(order)
    grade(order, resume=True, only=("receptive_field",) if "receptive_field" in catalogue()
          else ("unfold",))
    found = rows(order.out)["ada"]
    assert found["status"] == "graded" and found["output_size"] == "3"
    assert len(Store(order.out).result("ada")["exercises"]) == 2


def test_a_half_written_or_foreign_result_is_made_anew(here, order):
    grade(order)
    (order.out / "results" / "ada.json").write_text('{"schema": 1, "exer')
    assert grade(order, resume=True)[0] == GRADED
    assert rows(order.out)["ada"]["percent"] == "100"


def test_a_lost_worker_leaves_points_empty_and_the_status_says_so(here, order, monkeypatch):
    monkeypatch.setattr(Here, "broken", ("bob",))
    status, lines = grade(order)
    found = rows(order.out)
    assert status == TROUBLE and found["ada"]["percent"] == "100"
    assert (found["bob"]["points_earned"], found["bob"]["status"]) == ("", "grader_error")
    assert "not 0" in lines[-1]
    monkeypatch.setattr(Here, "broken", ())
    assert grade(order, resume=True)[0] == GRADED
    assert rows(order.out)["bob"]["points_earned"] != ""


def test_a_grader_that_does_not_judge_rightly_grades_nobody(here, order, monkeypatch):
    monkeypatch.setattr(selfcheck, "check", lambda task: [f"{task[0]}: the solution gets 0"])
    status, lines = grade(order)
    assert status == INVALID and any("solution gets 0" in line for line in lines)
    assert not (order.out / "results").exists()


def test_an_interruption_keeps_what_is_graded(here, order, monkeypatch):
    real = Here.map

    def interrupted(self, function, tasks, patience=0):
        for done in real(self, function, tasks, patience):
            yield done
            if function is batch.work:
                raise KeyboardInterrupt

    monkeypatch.setattr(Here, "map", interrupted)
    status, lines = grade(order)
    assert status == INTERRUPTED and "--resume" in lines[-1]
    assert list(rows(order.out)) == ["ada"]
    monkeypatch.setattr(Here, "map", real)
    assert grade(order, resume=True)[0] == GRADED and list(rows(order.out)) == ["ada", "bob"]


def test_two_submissions_of_one_student_are_not_guessed(here, order):
    with zipfile.ZipFile(order.folder / "ada.zip", "w") as archive:
        archive.writestr(FILE, RIGHT)
    (order.folder / "ADA").mkdir()
    _, lines = grade(order)
    assert rows(order.out)["ada"]["status"] == "unreadable"
    assert any("both there" in line for line in lines)
    assert any("ADA and ada differ in upper and lower case" in line for line in lines)


def test_what_would_lose_results_is_refused(here, order, monkeypatch):
    with pytest.raises(GradingError, match="is no folder"):
        grade(order, folder=order.folder / "none")
    with pytest.raises(GradingError, match="among the submissions"):
        grade(order, out=order.folder / "out")
    with pytest.raises(GradingError, match="--seed-file"):
        grade(order, shard=(1, 2))
    grade(order)
    with pytest.raises(GradingError, match="already holds results"):
        grade(order)
    other = order.folder.parent / "seed"
    other.write_text("another")
    with pytest.raises(GradingError, match="another seed"):
        grade(order, resume=True, seed_file=other)
    other.write_text(" \n")
    with pytest.raises(GradingError, match="is empty"):
        grade(order, resume=True, seed_file=other)
    with pytest.raises(GradingError, match="cannot be read"):
        grade(order, resume=True, seed_file=other.with_name("none"))


def test_without_a_jail_grading_is_refused_or_marked(here, order, monkeypatch):
    monkeypatch.setattr(batch, "probe", lambda: 1)
    with pytest.raises(GradingError, match="cannot hide files"):
        grade(order)
    assert grade(order, unsealed=True)[0] == GRADED
    assert rows(order.out)["ada"]["sealed"] == "no"


def test_the_seed_is_secret_and_stays(here, order):
    grade(order)
    seed = (order.out / "seed.txt").read_text()
    assert (order.out / "seed.txt").stat().st_mode & 0o077 == 0
    grade(order, resume=True)
    assert (order.out / "seed.txt").read_text() == seed
    number = str(batch.seed_of(order.out / "seed.txt"))
    for path in (*order.out.glob("*.csv"), *order.out.glob("*.html"), *order.out.rglob("*.json")):
        text = path.read_text("utf-8")
        assert seed.strip() not in text and number not in text


def test_shards_and_merge_give_what_one_run_gives(here, order, tmp_path):
    (tmp_path / "seed").write_text("secret")
    same = {"seed_file": tmp_path / "seed"}
    grade(order, out=tmp_path / "whole", **same)
    for i in (1, 2):
        grade(order, out=tmp_path / f"part{i}", shard=(i, 2), **same)
    parts = [tmp_path / "part1", tmp_path / "part2"]
    assert list(rows(parts[0])) == ["ada"] and list(rows(parts[1])) == ["bob"]
    with pytest.raises(GradingError, match="shard 2/2 are missing"):
        merge(parts[:1], tmp_path / "half", [])
    assert merge(parts, tmp_path / "both", [{"student_id": "zoe"}]) == 0
    found, whole = rows(tmp_path / "both"), rows(tmp_path / "whole")
    assert found.pop("zoe")["status"] == "missing"
    for row in (*found.values(), *whole.values()):
        row.pop("graded_at")
    assert found == whole
    with pytest.raises(GradingError, match="already holds results"):
        merge(parts, tmp_path / "both", [])


def test_shards_that_cannot_be_compared_are_refused(here, order, tmp_path):
    for i in (1, 2):
        (tmp_path / f"seed{i}").write_text(f"secret {i}")
        grade(order, out=tmp_path / f"part{i}", shard=(i, 2), seed_file=tmp_path / f"seed{i}")
    with pytest.raises(GradingError, match="differ in seed id"):
        merge([tmp_path / "part1", tmp_path / "part2"], tmp_path / "both", [])


@pytest.mark.parametrize(("text", "says"), [
    ("name\nAda\n", "student_id"), ("", "student_id"), ("student_id\na\na\n", "more than once"),
    ("student_id,late_penalty\na,much\n", "must be a number"),
    ("student_id,late_penalty\na,-1\n", "must be a number")])
def test_a_bad_roster_is_refused(tmp_path, text, says):
    (tmp_path / "roster.csv").write_text(text)
    with pytest.raises(GradingError, match=says):
        read_roster(tmp_path / "roster.csv")


def test_a_roster_is_read_with_its_mark(tmp_path):
    (tmp_path / "r.csv").write_bytes("\ufeffstudent_id,name\n007, Zoë \n,nobody\n".encode())
    assert read_roster(tmp_path / "r.csv") == [{"student_id": "007", "name": "Zoë"}]


def test_files_of_another_format_are_refused(tmp_path):
    (tmp_path / "x.json").write_text('{"schema": 99}')
    with pytest.raises(GradingError, match="format 99"):
        read_json(tmp_path / "x.json")
    with pytest.raises(GradingError, match="holds no results"):
        Store(tmp_path).batch()


@pytest.mark.slow
def test_killed_twice_and_resumed_nothing_is_lost(order):
    for i in range(10):
        (order.folder / f"s{i}").mkdir()
        (order.folder / f"s{i}" / FILE).write_text(RIGHT + f"\n# {i}\n", "utf-8")
    command = [sys.executable, "-m", "minilearn", "teach", "grade", str(order.folder), "--out",
               str(order.out), "--only", "output_size", "--only", "conv2d", "--jobs", "2"]
    done = order.out / "results"
    for least in (2, 5):
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + 120
        while len(list(done.glob("*.json"))) < least and time.monotonic() < deadline:
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
        process.wait()
        kept = {p.name: json.loads(p.read_text()) for p in done.glob("*.json")}
        assert least <= len(kept) < 12
        command = [*command[:-2], "--jobs", "2", "--resume"] if "--resume" not in command \
            else command
    finished = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert finished.returncode == 0, finished.stderr
    assert len(rows(order.out)) == 12
    for name, result in kept.items():
        assert json.loads((done / name).read_text())["exercises"] == result["exercises"]
    assert all(r["percent"] == "100" for s, r in rows(order.out).items() if s != "bob")


@pytest.mark.slow
def test_real_workers_grade_and_control_c_ends_with_130(order):
    command = [sys.executable, "-m", "minilearn", "teach", "grade", str(order.folder), "--out",
               str(order.out), "--only", "output_size"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               text=True, start_new_session=True)
    assert "Self-check" in process.stdout.readline()
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does
    printed, errors = process.communicate(timeout=60)
    assert process.returncode == 130 and "--resume" in printed and "Traceback" not in errors
