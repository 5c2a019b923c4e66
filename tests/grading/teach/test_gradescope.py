"""The autograder's zip, and what it reports."""

import json
import subprocess
import sys
import zipfile

import pytest

from minilearn.contracts import catalogue, course
from minilearn.grading.teach import gradescope
from minilearn.grading.teach.gradescope import main, pack, results_json
from minilearn.grading.teach.store import GradingError

VISIBLE = {"hidden", "after_due_date", "after_published", "visible"}
TEST_FIELDS = {"score", "max_score", "status", "name", "name_format", "number", "output",
               "output_format", "tags", "visibility", "extra_data"}
TOP_FIELDS = {"score", "execution_time", "output", "output_format", "test_output_format",
              "test_name_format", "visibility", "stdout_visibility", "extra_data", "tests",
              "leaderboard"}


@pytest.fixture
def autograder(tmp_path):
    pack(tmp_path / "a.zip", ["output_size"], None)
    for name in ("source", "submission", "results"):
        (tmp_path / name).mkdir()
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        archive.extractall(tmp_path / "source")
    return tmp_path


def results(root):
    return json.loads((root / "results" / "results.json").read_text("utf-8"))


def test_the_zip_holds_what_is_needed_and_its_scripts_run(tmp_path):
    (tmp_path / "seed").write_text("secret")
    points = pack(tmp_path / "a.zip", None, tmp_path / "seed", "https://x.org/cpu'; rm")
    assert points == sum(e.points for e in catalogue().values())
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        names = set(archive.namelist())
        assert {"run_autograder", "setup.sh", "seed.txt", "requirements.txt", "settings.json",
                "minilearn/grading/teach/gradescope.py", "solutions/03_convolution.py"} <= names
        assert not any("__pycache__" in name for name in names)
        assert archive.getinfo("run_autograder").external_attr >> 16 & 0o111
        assert archive.read("seed.txt") == b"secret"
        needed = archive.read("requirements.txt").decode().split()
        assert {"torch", "numpy", "hypothesis"} <= {line.partition("==")[0] for line in needed}
        assert b"INDEX_URL='https://x.org/cpu'\"'\"'; rm'\n" in archive.read("setup.sh")
        for script in ("setup.sh", "run_autograder"):
            assert subprocess.run(["bash", "-n"], input=archive.read(script)).returncode == 0


def test_the_package_in_the_zip_grades_by_itself(autograder):
    (autograder / "submission" / "03_convolution.py").write_text(
        course.solutions("03_convolution"), "utf-8")
    command = [sys.executable, "-m", "minilearn.grading.teach.gradescope", str(autograder)]
    done = subprocess.run(command,
                          cwd=autograder / "source", capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    found = results(autograder)
    assert found.keys() <= TOP_FIELDS and all(t.keys() <= TEST_FIELDS for t in found["tests"])
    points = catalogue()["output_size"].points
    assert sum(t["score"] for t in found["tests"]) == points
    assert sum(t["max_score"] for t in found["tests"]) == points
    assert [t["status"] for t in found["tests"]] == ["passed", "passed"]
    assert isinstance(found["execution_time"], float)
    assert found["extra_data"]["minilearn"]["statuses"] == {"output_size": "pass"}


def test_a_failing_file_is_there_before_anything_runs(autograder, monkeypatch):
    def broken(*_, **__):
        raise OSError("no space")

    monkeypatch.setattr(gradescope, "grade_submission", broken)
    with pytest.raises(OSError):
        main(autograder)
    assert results(autograder)["score"] == 0 and "not your fault" in results(autograder)["output"]


def graded(**changes):
    prop = {"name": "p", "status": "wrong_value", "points_earned": 0, "points_possible": 2,
            "case": "abc", "message": "short"}
    entry = {"status": "wrong_value", "message": "**bold**\x1b[31m\n" + "x" * 20_000,
             "flags": ["read_outside"], "properties": [prop | changes]}
    return results_json({"exercises": {"output_size": entry}, "grader_version": "v", "seed_id": "s",
                         "tier": 2, "versions": {}, "content_sha256": "c"}, 1.23456)


def test_one_test_for_each_property_in_plain_and_bounded_text():
    found = graded()
    test, = found["tests"]
    assert (test["number"], test["name"], test["score"], test["max_score"]) == (
        "3.1.1", "output_size: p", 0, 2)
    assert test["output"].startswith("bold[31m\n") and len(test["output"]) == 8 * 1024
    assert test["output_format"] == "text" and test["visibility"] in VISIBLE
    assert found["stdout_visibility"] == "hidden" and found["execution_time"] == 1.2
    assert "score" not in found  # it would override the sum
    assert found["extra_data"]["minilearn"]["flags"] == ["read_outside"]
    assert "read_outside" not in test["output"]


def test_our_failure_has_no_score():
    test, = graded(status="grader_error", points_earned=None)["tests"]
    assert "score" not in test and test["status"] == "failed"


def test_an_empty_seed_file_is_refused(tmp_path):
    (tmp_path / "seed").write_text("")
    with pytest.raises(GradingError, match="empty"):
        pack(tmp_path / "a.zip", None, tmp_path / "seed")
