"""Several processes train as one: real processes over gloo, compared with one process alone."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import minilearn as ml
from minilearn import processes, train
from minilearn.errors import ShapeError
from minilearn.train import parallel

SCRIPT = Path(__file__).with_name("one_of_several.py")
CASES = ["mlp", "penalty", "regression", "joined_norm", "own_norm", "dropout"]


def run(folder, workers, *cases, wait=120):
    """Run the script in several processes; return (exit status, stdout, stderr) of each."""
    team, ends = [], os.pipe()  # a worker ends when its standard input does
    for rank in range(workers):
        env = os.environ | {"RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": str(workers),
                            processes.STORE: (folder / f"store-{workers}").as_uri()}
        team.append(subprocess.Popen(
            [sys.executable, str(SCRIPT), str(folder / str(workers)), *cases], env=env, text=True,
            stdin=ends[0], stdout=subprocess.PIPE, stderr=subprocess.PIPE))
    try:
        told = [worker.communicate(timeout=wait) for worker in team]
    finally:
        for worker in team:
            worker.kill()
        for end in ends:
            os.close(end)
    return [(worker.returncode, *said) for worker, said in zip(team, told, strict=True)]


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """What each worker wrote: {(number of workers, case): [its arrays, by rank]}."""
    folder, found = tmp_path_factory.mktemp("parallel"), {}
    for workers in (1, 2, 3):
        told = run(folder, workers, *CASES)
        assert [status for status, *_ in told] == [0] * workers, told
        assert told[0][1].count("worker 0 is done") == len(CASES)
        assert all(out == "" for _, out, _ in told[1:])  # only the first is heard
        for case in CASES:
            files = [folder / f"{workers}-{case}-{rank}.npz" for rank in range(workers)]
            found[workers, case] = [dict(np.load(file)) for file in files]
    return found


def differences(a, b):
    """The largest difference of each array, relative to its size."""
    assert set(a) == set(b)
    return {name: np.abs(a[name] - b[name]).max() / max(1, np.abs(a[name]).max()) for name in a}


@pytest.mark.parametrize("workers", [2, 3])
@pytest.mark.parametrize("case", ["mlp", "penalty", "regression", "joined_norm"])
def test_several_workers_equal_one_on_the_joined_batch(results, case, workers):
    (alone,) = results[1, case]
    assert len(alone["losses"]) == 12 and alone["history"].shape == (3, 3 + (case != "regression"))
    for one in results[workers, case]:
        found = differences(alone, one)
        assert found.pop("history") < 1e-7  # accuracy is a float32 number
        assert max(found.values()) < 1e-12, found


@pytest.mark.parametrize("case", CASES)
def test_all_workers_end_with_the_same(results, case):
    for workers in (2, 3):
        first, *others = results[workers, case]
        for other in others:
            assert all(np.array_equal(first[name], other[name]) for name in first)


def test_statistics_of_each_share_are_another_computation(results):
    (alone,), (first, _) = results[1, "own_norm"], results[2, "own_norm"]
    assert differences(alone, first)["0.weight"] > 1e-6
    # The running mean is linear in the data of the first batch norm: its first step is the same.
    assert np.isfinite(first["1.running_mean"]).all()


def test_dropout_draws_other_masks_in_each_worker(results):
    (alone,), (first, _) = results[1, "dropout"], results[2, "dropout"]
    assert first["chance"] != alone["chance"]
    assert differences(alone, first)["0.weight"] > 1e-6
