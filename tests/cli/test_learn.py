"""The learner's commands, as typed."""

import json
import os
import subprocess
import sys
import time

import pytest

from minilearn.cli import main
from minilearn.contracts import catalogue, course

FIRST = next(iter(catalogue().values()))


@pytest.fixture
def folder(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["start", "course"]) == 0
    capsys.readouterr()
    monkeypatch.chdir(tmp_path / "course")
    return tmp_path / "course"


def solve(folder, name, old="", new=""):
    exercise = catalogue()[name]
    path = folder / f"{exercise.lesson}.py"
    _, body, _ = course.around(course.solutions(exercise.lesson), name)
    before, _, after = course.around(path.read_text("utf-8"), name)
    path.write_text(before + body.replace(old, new) + after, "utf-8")


def test_start_says_what_to_do_and_repeats_safely(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["start"]) == 0
    shown = capsys.readouterr().out
    assert "cd course" in shown and "minilearn watch" in shown and FIRST.name in shown
    assert main(["start"]) == 0
    assert "nothing changed" in capsys.readouterr().out
    (tmp_path / "file").write_text("")
    assert main(["start", "file"]) == 1
    assert "name of a folder" in capsys.readouterr().err


def test_check_without_a_name_takes_the_next(folder, capsys):
    assert main(["check"]) == 1
    assert f"{FIRST.name}: not written yet" in capsys.readouterr().out
    solve(folder, FIRST.name)
    assert main(["check"]) == 0
    shown = capsys.readouterr().out
    assert f"✓ {FIRST.name}" in shown and "Next: " in shown and FIRST.name not in shown.split(
        "Next: ")[1]


def test_check_writes_json(folder, capsys):
    solve(folder, "output_size", "// stride + 1", "// stride")
    assert main(["check", "output_size", "relu_grad", "--json", "out.json"]) == 1
    shown = capsys.readouterr().out
    assert "✗ output_size" in shown and "exercises are yours" in shown
    kept = json.loads((folder / "out.json").read_text("utf-8"))
    assert kept["exercises"]["output_size"]["status"] == "wrong_value"
    assert kept["exercises"]["relu_grad"]["status"] == "not_implemented"


def test_a_seed_repeats_a_check(folder, capsys):
    solve(folder, "output_size", "return room", "return 7 if n == 9 else room")
    texts = []
    for _ in range(2):
        main(["check", "output_size", "--seed", "5"])
        texts.append(capsys.readouterr().out.split("(")[0])
    assert texts[0] == texts[1]


def test_hint_list_status_show_reset_replay(folder, capsys):
    def run(*command, status=0):
        assert main(list(command)) == status
        return "".join(capsys.readouterr())

    assert "Hint 1 of 3" in run("hint", "output_size")
    assert FIRST.name in run("list")
    assert "0 of" in run("status")
    assert "Written" in run("status", "--html", "page.html")
    assert "<html" in (folder / "page.html").read_text("utf-8")
    assert "--i-am-stuck" in run("show", "output_size", status=1)
    assert "def output_size" in run("show", "output_size", "--i-am-stuck")
    solve(folder, "output_size", "// stride + 1", "// stride")
    shown = run("check", "output_size", status=1)
    case = shown.split("minilearn replay ")[1].split()[0]
    assert "First difference" in run("replay", case)
    assert "backup" in run("reset", "output_size")
    assert "not written yet" in run("check", "output_size", status=1)
    assert "no case" in run("replay", "output_size#000000", status=1)


@pytest.mark.parametrize("command", [["check"], ["list"], ["status"], ["hint", "conv2d"],
                                     ["watch"], ["reset", "conv2d"], ["replay", "x"],
                                     ["show", "conv2d"]])
def test_outside_a_folder(tmp_path, monkeypatch, capsys, command):
    monkeypatch.chdir(tmp_path)
    assert main(command) == 1
    assert "minilearn start" in capsys.readouterr().err


@pytest.mark.parametrize("command, status, text", [
    (["check", "conv_2d"], 1, "did you mean conv2d"),
    (["check", "conv2d", "--all"], 2, "not both"),
    (["hint", "03"], 1, "is a lesson"),
    (["hint"], 2, "NAME"),
    (["check", "--seed", "-1"], 2, "seed"),
])
def test_misuse(folder, capsys, command, status, text):
    assert main(command) == status
    assert text in capsys.readouterr().err


def test_mine_needs_something_of_mine(folder, capsys):
    assert main(["train", "resnet", "--mine", "--data", "digits"]) == 1
    assert "none of your functions" in capsys.readouterr().err
    assert main(["train", "resnet", "--mine", "--device", "torch:cpu"]) == 2


@pytest.mark.slow
def test_training_with_mine(folder, capsys):
    solve(folder, "mul_grad")
    solve(folder, "conv2d")
    solve(folder, "batch_norm", "bias[:, None, None]", "0")
    quick = ["train", "resnet", "--data", "digits", "--epochs", "1", "--model", "basic"]
    assert main([*quick, "--out", "own"]) == 0
    assert main([*quick, "--mine", "--out", "mine"]) == 0
    shown = capsys.readouterr().out
    assert "batch_norm does not pass" in shown and "2 of " in shown and "are yours" in shown
    assert "The framework's own, in own: " in shown
    result = json.loads((folder / "mine" / "result.json").read_text())
    assert result["mine"] == ["mul_grad", "conv2d"]


@pytest.mark.slow
def test_as_plain_pytest(folder):
    solve(folder, "output_size", "// stride + 1", "// stride")
    solve(folder, "conv2d")
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "--pyargs", "minilearn.contracts", "--work", ".", "-q",
         "-p", "no:cacheprovider", "-k", "output_size or conv2d"],
        cwd=folder, capture_output=True, text=True, timeout=120,
        env=os.environ | {"OMP_NUM_THREADS": "1"})
    shown = run.stdout + run.stderr
    assert run.returncode == 1, shown
    assert "✗ output_size" in shown and "First difference" in shown, shown
    assert "Traceback" not in shown and "conv2d_loops: not written yet" in shown, shown


@pytest.mark.slow
def test_watch_in_a_real_process(folder):
    with open(folder / "out.txt", "w") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "minilearn", "watch"], cwd=folder, stdin=subprocess.DEVNULL,
            stdout=out, stderr=subprocess.STDOUT,
            env=os.environ | {"OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"})
    try:
        wait_for(folder, "not written yet")
        solve(folder, FIRST.name)
        wait_for(folder, f"✓ {FIRST.name}")
        solve(folder, "output_size", "// stride + 1", "// stride")
        wait_for(folder, "✗ output_size")
    finally:
        process.terminate()
        process.wait(20)
    assert "Traceback" not in (folder / "out.txt").read_text("utf-8")


def wait_for(folder, text):
    for _ in range(300):
        if text in (folder / "out.txt").read_text("utf-8"):
            return
        time.sleep(0.1)
    raise AssertionError((folder / "out.txt").read_text("utf-8"))
