"""The instructor's commands as they are typed: from starters to a gradebook."""

import csv
import zipfile

import pytest

from minilearn.cli import main
from minilearn.contracts import course
from tests.grading.class_results import make

FILE = "03_convolution.py"


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_release_makes_starters_and_check_tells_stale_ones(home, capsys):
    assert main(["teach", "release", "--out", "starters", "--check"]) == 1
    assert "is stale" in capsys.readouterr().out and not (home / "starters").exists()
    assert main(["teach", "release", "--out", "starters"]) == 0
    assert "Written: starters/03_convolution.py" in capsys.readouterr().out
    assert "NotImplementedError" in (home / "starters" / FILE).read_text("utf-8")
    assert main(["teach", "release", "--out", "starters", "--check"]) == 0
    assert main(["teach", "release", "--out", "starters"]) == 0
    assert "up to date" in capsys.readouterr().out


def test_a_class_from_submissions_to_pages(home, capsys):
    for student in ("ada", "bob"):
        (home / "hw" / student).mkdir(parents=True)
    (home / "hw/ada" / FILE).write_text(course.solutions("03_convolution"), "utf-8")
    (home / "hw/bob" / FILE).write_text("def output_size(:", "utf-8")
    (home / "roster.csv").write_text("student_id,name\nada,Ada\nzoe,Zoe\n")
    assert main(["teach", "grade", "hw", "--out", "out", "--only", "output_size", "--jobs", "2",
                 "--roster", "roster.csv"]) == 0
    assert "ada" in capsys.readouterr().out
    with open("out/gradebook.csv", newline="", encoding="utf-8") as file:
        points = {row["student_id"]: row["points_earned"] for row in csv.DictReader(file)}
    assert points == {"ada": "3", "bob": "0", "zoe": "0"}
    assert main(["teach", "feedback", "out"]) == 0
    assert "line 1" in (home / "out/feedback/bob.html").read_text("utf-8")
    assert main(["teach", "grade", "hw", "--out", "out", "--only", "output_size"]) == 1
    assert "Error: out already holds results" in capsys.readouterr().err


@pytest.mark.parametrize("form", ["csv", "gradescope", "canvas", "nbgrader", "classroom"])
def test_export(home, capsys, form):
    make(home / "out")
    assert main(["teach", "export", "out", "--format", form, "--out", "for", "--excel"]) == 0
    written = [line.removeprefix("Written: ") for line in capsys.readouterr().out.splitlines()]
    assert written and all((home / name).read_bytes().startswith(b"\xef\xbb\xbf")
                           for name in written)


def test_gradescope_zip(home, capsys):
    assert main(["teach", "gradescope-zip", "a.zip", "--only", "output_size"]) == 0
    assert "3 points" in capsys.readouterr().out
    assert b"output_size" in zipfile.ZipFile("a.zip").read("settings.json")


def test_similar(home, capsys):
    for student in ("ada", "bob"):
        (home / "hw" / student).mkdir(parents=True)
        (home / "hw" / student / FILE).write_text(course.solutions("03_convolution"), "utf-8")
    assert main(["teach", "similar", "hw", "--export", "for_jplag"]) == 0
    assert "100 %  ada  bob" in capsys.readouterr().out
    assert (home / "for_jplag/submissions/bob" / FILE).exists()


def test_selftest(home, capsys):
    assert main(["teach", "selftest", "6"]) == 0
    assert "1 of 1 verdicts are right" in capsys.readouterr().out


def test_verify_of_one_exercise(home, capsys):
    main(["teach", "verify", "output_size", "--examples", "5"])
    assert "✓ output_size" in capsys.readouterr().out


@pytest.mark.parametrize(("arguments", "says"), [
    (["grade", "nowhere", "--out", "out"], "nowhere is no folder"),
    (["grade", ".", "--out", "out", "--shard", "3/2"], "must be I/N"),
    (["grade", ".", "--out", "out", "--only", "conv9d"], "no exercise or lesson"),
    (["grade", ".", "--out", "out", "--roster", "none.csv"], "cannot be read"),
    (["export", "nowhere"], "holds no results"), (["feedback", "nowhere"], "holds no results"),
    (["merge", "a", "b", "--out", "c"], "holds no results"),
    (["similar", "nowhere"], "is no folder"),
    (["export", "nowhere", "--format", "excel"], "excel")])
def test_misuse_is_one_clear_sentence(home, capsys, arguments, says):
    assert main(["teach", *arguments]) in (1, 2)
    printed = capsys.readouterr().err
    assert says in printed.replace("\n", " ") and "Traceback" not in printed


@pytest.mark.slow
def test_the_graders_are_as_strong_as_published(home):
    page = course.PACKAGE.parent / "docs" / "results" / "graders.md"
    assert main(["teach", "strength", "--jobs", "2", "--out", "now.md", "--check", str(page)]) == 0
