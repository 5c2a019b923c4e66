"""`--workers`: what a user sees when all goes well, when a worker dies, and after Ctrl-C."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time

import pytest
import typer

from minilearn import processes
from minilearn.cli import main, workers

TRAIN = ["train", "resnet", "--data", "digits", "--model", "basic", "--bs", "64", "--out", "run"]


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def begin(home, *extra):
    command = [sys.executable, "-m", "minilearn", *TRAIN, *extra]
    return subprocess.Popen(command, cwd=home, text=True, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE)


def wait_for_epochs(home, process, epochs):
    for _ in range(900):
        if (home / "run" / "history.csv").exists() and finished(home) >= epochs:
            return
        assert process.poll() is None, process.communicate()
        time.sleep(0.1)
    raise AssertionError("no epoch was finished in 90 seconds")


def finished(home):
    return len((home / "run" / "history.csv").read_text().splitlines()) - 1


def alive(process):
    """The workers of a command that still run: Linux keeps their command lines."""
    found = subprocess.run(["ps", "-eww", "-o", "pid,args"], capture_output=True, text=True).stdout
    return [line for line in found.splitlines() if str(process.args[-1]) in line]


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("ps"), reason="needs ps to find the workers")
def test_killed_interrupted_and_resumed_with_other_numbers_of_workers(home):
    mark = "--seed=4711"  # by which the workers are found among the processes
    process = begin(home, "--epochs", "40", "--workers", "2", mark)
    wait_for_epochs(home, process, 2)
    victim = int(alive(process)[-1].split()[0])  # the youngest: the second worker
    os.kill(victim, signal.SIGKILL)
    died = time.monotonic()
    printed, errors = process.communicate(timeout=60)
    assert process.returncode == 1 and time.monotonic() - died < 20
    assert errors == ("Error: the worker of rank 1 (of 2) was killed by SIGKILL, exit status -9; "
                      "the others were ended too\n")
    assert "--resume --out run" in printed and not alive(process)

    kept = finished(home)
    process = begin(home, "--epochs", "40", "--resume", "--workers", "3", "--sync-bn", mark)
    wait_for_epochs(home, process, kept + 1)
    process.send_signal(signal.SIGINT)
    printed, errors = process.communicate(timeout=60)
    assert process.returncode == 130 and "Traceback" not in errors
    assert f"Going on after epoch {kept} of 40" in printed and "--resume --out run" in printed
    assert printed.count("Interrupted in epoch") == 1 and not alive(process)

    kept = finished(home)
    process = begin(home, "--epochs", "40", "--resume", "--workers", "2", mark)
    wait_for_epochs(home, process, kept + 1)
    process.kill()  # whoever watches is gone: the workers end by themselves
    process.communicate()
    for _ in range(100):
        if not alive(process):
            break
        time.sleep(0.1)
    assert not alive(process)


@pytest.mark.slow
def test_two_workers_train_and_one_of_them_writes(home, capfd):
    assert main([*TRAIN, "--epochs", "3", "--workers", "2"]) == 0
    printed = capfd.readouterr().out
    assert printed.count("Final accuracy") == 1 and printed.count("valid_loss") == 1
    result = json.loads((home / "run" / "result.json").read_text())
    assert result["workers"] == 2 and len(result["history"]) == 3 and result["accuracy"] > 0.3
    assert len(list((home / "run" / "figures").iterdir())) == 7
    assert not list((home / "run").glob("*.part"))


@pytest.mark.slow
def test_a_diverging_run_is_told_once_by_the_first_worker(home, capfd):
    assert main([*TRAIN, "--epochs", "3", "--workers", "2", "--lr", "1e30"]) == 1
    errors = capfd.readouterr().err
    assert errors.count("Error") == 1 and "the loss is" in errors and "rank" not in errors


def test_without_torch_a_sentence_says_what_to_install(home, capsys, monkeypatch):
    monkeypatch.setattr(workers, "find_spec", lambda name: None)
    assert main([*TRAIN, "--workers", "2"]) == 1
    assert "pip install 'minilearn[learn]'" in capsys.readouterr().err
    assert main([*TRAIN, "--workers", "0"]) == 2


def test_torchrun_s_workers_take_no_workers_of_their_own(home, capsys, monkeypatch):
    monkeypatch.setenv("RANK", "0")
    monkeypatch.setenv("WORLD_SIZE", "2")
    assert main([*TRAIN, "--workers", "2"]) == 2
    assert "torchrun has started the workers" in capsys.readouterr().err


# ---------------------------------------------------------------- who failed, and what is said


@pytest.mark.parametrize("ended, status, said", [
    ([1, 75], 1, ""),  # the first has said why
    ([75, 3], 1, "rank 1 (of 2) failed, exit status 3; the others were ended too: it broke\n"),
    ([None, -11], 1, "rank 1 (of 2) was killed by SIGSEGV, exit status -11"),
    ([-9, 75], 1, "rank 0 (of 2) was killed by SIGKILL, exit status -9"),
    ([75, 75], 1, "rank 0 (of 2) failed, exit status 75"),
])
def test_the_guilty_one_is_named(tmp_path, capsys, ended, status, said):
    (tmp_path / "errors-0").write_text("")
    (tmp_path / "errors-1").write_text("a line\nError: it broke\n" if 3 in ended else "")
    assert workers.failed(ended, tmp_path) == status
    errors = capsys.readouterr().err
    assert said in errors and errors.count("\n") == bool(said)


def test_each_worker_has_its_share_of_the_threads_and_its_rank(tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr(workers.subprocess, "Popen", lambda *a, **named: seen.append((a, named)))
    monkeypatch.setattr(workers.os, "cpu_count", lambda: 8)
    for name in workers.THREADS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("MKL_NUM_THREADS", "3")  # the user's own choice stays
    workers.begin(1, 3, ["train", "resnet"], tmp_path)
    ((command,), named), env = seen[0], seen[0][1]["env"]
    assert command[1:] == ["-m", "minilearn", "train", "resnet"] and named["start_new_session"]
    assert (env["RANK"], env["WORLD_SIZE"], env["OMP_NUM_THREADS"]) == ("1", "3", "2")
    assert env["MKL_NUM_THREADS"] == "3" and env[processes.STORE].startswith("file://")


def test_one_worker_is_this_process():
    context = typer.Context(typer.main.get_command(typer.Typer(callback=lambda: None)))
    assert workers.start(context, 1) == 1
    assert processes.world() == 1
