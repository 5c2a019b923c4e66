"""The commands as a user types them: what they print, and with which status they end."""

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from PIL import Image

from minilearn.cli import main

TRAIN = ["train", "resnet", "--data", "digits", "--model", "basic", "--bs", "64"]


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_train_then_predict(home, capsys):
    assert main([*TRAIN, "--epochs", "3"]) == 0
    printed = capsys.readouterr().out
    assert "Final accuracy" in printed and "12,126 parameters" in printed
    assert "valid_loss" in printed and "runs/basic-digits-001" in printed
    assert json.loads((home / "runs/basic-digits-001/result.json").read_text())["accuracy"] > 0.3
    Image.fromarray(np.zeros((28, 28), np.uint8)).save(home / "digit.png")
    assert main(["predict", "runs/basic-digits-001", "digit.png"]) == 0
    printed = capsys.readouterr().out
    assert "digit.png: " in printed and "9 0." in printed
    shares = [float(part.split()[1]) for part in printed.splitlines()[1].strip().split("  ")]
    assert sum(shares) == pytest.approx(1, abs=0.01)


def test_lr_find(home, capsys):
    assert main(["lr-find", "resnet", "--data", "digits", "--model", "basic", "--bs", "32"]) == 0
    assert "falls fastest at" in capsys.readouterr().out
    assert (home / "runs/lr-find.png").stat().st_size > 10_000


def test_data_list(capsys):
    assert main(["data", "list"]) == 0
    printed = capsys.readouterr().out
    assert "digits" in printed and "mnist" in printed and "70000" in printed


@pytest.mark.parametrize("arguments, status, said", [
    (["train", "resnet", "--data", "cifar"], 2, "cifar"),
    (["train", "resnet", "--model", "vgg"], 2, "vgg"),
    (["train", "resnet", "--device", "tpu"], 2, "cuda"),
    (["train", "resnet", "--unknown"], 2, "No such option"),
    (["train", "resnet", "--epochs", "0"], 2, "greater than or equal to 1"),
    (["train", "resnet", "--resume"], 1, "which run shall go on"),
    (["train", "resnet", "--data", "digits", "--lr", "-1"], 1, "lr above 0"),
    (["predict", "nowhere", "x.png"], 1, "holds no run"),
    (["fly"], 2, "No such command"),
])
def test_misuse_is_told_without_a_traceback(home, capsys, arguments, status, said):
    assert main(arguments) == status
    shown = capsys.readouterr()
    assert said in shown.out + shown.err and "Traceback" not in shown.err


def test_a_taken_folder(home, capsys):
    (home / "mine").mkdir()
    (home / "mine" / "thesis.txt").write_text("precious")
    assert main([*TRAIN, "--epochs", "1", "--out", "mine"]) == 1
    assert "--resume" in capsys.readouterr().err
    assert [p.name for p in (home / "mine").iterdir()] == ["thesis.txt"]


def test_help_and_version(capsys):
    assert main(["--version"]) == 0
    assert "minilearn 0." in capsys.readouterr().out
    assert main(["train", "resnet", "--help"]) == 0
    assert "--resume" in capsys.readouterr().out


def start(home, *extra):
    environment = os.environ | {"PYTHONUNBUFFERED": "1", "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        [sys.executable, "-m", "minilearn", *TRAIN, "--epochs", "400", "--out", "run", *extra],
        cwd=home, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def wait_for_epochs(home, process, epochs):
    history = home / "run" / "history.csv"
    for _ in range(600):
        if history.exists() and len(history.read_text().splitlines()) > epochs:
            return
        assert process.poll() is None, process.communicate()[0]
        time.sleep(0.1)
    raise AssertionError("no epoch was finished in a minute")


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_interrupted_runs_go_on(home, how):
    process = start(home)
    wait_for_epochs(home, process, 2)
    process.send_signal(how)
    printed = process.communicate(timeout=60)[0]
    if how == signal.SIGINT:
        assert process.returncode == 130
        assert "--resume --out run" in printed and "Traceback" not in printed
    kept = len((home / "run" / "history.csv").read_text().splitlines())
    process = start(home, "--resume")
    wait_for_epochs(home, process, kept)
    process.kill()
    # A kill may fall between the line of the history and the checkpoint of the same epoch.
    possible = [kept - 1] if how == signal.SIGINT else [kept - 1, kept - 2]
    shown = process.communicate()[0]
    assert any(f"Going on after epoch {epoch} of" in shown for epoch in possible), shown


def test_bench_refuses_what_it_does_not_know(capsys):
    assert main(["bench", "--only", "chess"]) == 2
    shown = capsys.readouterr().err
    assert "chess" in shown and "resnet-mnist-64" in shown


@pytest.mark.slow
def test_bench_writes_what_it_measured(home, capsys):
    arguments = ["--only", "autograd-overhead", "--rounds", "1", "--seconds", "0.05"]
    assert main(["bench", *arguments, "--json", "bench.json"]) == 0
    (row,) = json.loads((home / "bench.json").read_text())["workloads"]
    assert row["name"] == "autograd-overhead" and row["threads"] == 1
    assert row["ratio"] > 0 and row["ours_ms"] > 0 and row["torch_ms"] > 0
    assert "autograd-overhead" in capsys.readouterr().out


def test_what_to_try_next_names_a_program_that_exists(home, monkeypatch):
    from minilearn.cli import train

    monkeypatch.setattr("shutil.which", lambda name: "/somewhere/minilearn")
    assert train.program() == "minilearn"
    monkeypatch.setattr("shutil.which", lambda name: None)
    (home / "bin").mkdir()
    monkeypatch.setattr(sys, "executable", str(home / "bin" / "python"))
    assert train.program() == "python -m minilearn"
    (home / "bin" / "minilearn").touch()
    assert train.program() == os.path.join("bin", "minilearn")
