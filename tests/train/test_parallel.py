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
CASES = ["mlp", "penalty", "regression", "joined_norm", "statistics", "own_norm",
         "dropout"]


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
    return {name: np.abs(a[name] - b[name]).max() / max(1, np.abs(a[name]).max())
            for name in a if name != "own"}


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
            assert all(np.array_equal(first[name], other[name]) for name in first if name != "own")


def test_statistics_of_each_share_are_another_computation(results):
    (alone,), (first, _) = results[1, "own_norm"], results[2, "own_norm"]
    assert differences(alone, first)["0.weight"] > 1e-6


def test_running_means_of_the_shares_are_averaged_by_their_size(results):
    """A mean over the joined batch is that of the shares' means, weighted; a variance is not."""
    (alone,) = results[1, "statistics"]
    for workers in (2, 3):
        for one in results[workers, "statistics"]:
            found = differences(alone, one)
            assert found["1.running_mean"] < 1e-12 and found["0.weight"] == 0
            assert found["1.running_var"] > 1e-6


def test_dropout_draws_other_masks_in_each_worker(results):
    (alone,), (first, second) = results[1, "dropout"], results[2, "dropout"]
    assert first["own"] != second["own"] and first["chance"] == second["chance"]
    assert differences(alone, first)["0.weight"] > 1e-6


# ---------------------------------------------------------------- a worker that fails


def test_a_worker_that_fails_ends_the_others_within_seconds(tmp_path):
    (status, _, errors), (failed, _, planted) = run(tmp_path, 2, "crash", wait=60)
    assert failed == 1 and "ValueError: planted" in planted
    assert status != 0 and "the connection to the other workers broke" in errors


# ---------------------------------------------------------------- parts


@pytest.fixture
def second_of_three(monkeypatch):
    monkeypatch.setattr(processes, "world", lambda: 3)
    monkeypatch.setattr(processes, "rank", lambda: 1)
    return monkeypatch


@pytest.mark.parametrize("items, wanted", [(0, slice(0, 0)), (1, slice(0, 0)), (2, slice(0, 1)),
                                           (3, slice(1, 2)), (9, slice(3, 6)), (11, slice(3, 7))])
def test_the_share_of_the_middle_one(second_of_three, items, wanted):
    assert parallel.share(items) == wanted


def test_shares_cover_a_batch_once_and_differ_by_one(monkeypatch):
    for world in range(1, 6):
        monkeypatch.setattr(processes, "world", lambda world=world: world)
        for items in range(20):
            seen = []
            for rank in range(world):
                monkeypatch.setattr(processes, "rank", lambda rank=rank: rank)
                seen.append(range(items)[parallel.share(items)])
            assert [i for part in seen for i in part] == list(range(items))
            assert max(map(len, seen)) - min(map(len, seen)) <= 1
            assert parallel.divided(items) == (world > 1 and min(map(len, seen)) >= 2)


def test_every_tensor_of_a_batch_is_cut(second_of_three):
    x, y = ml.arange(6), ml.arange(12).reshape(6, 2)
    inner, (label,) = parallel.cut(({"x": x, "name": "a"}, [y]), parallel.share(6))
    assert inner["x"].tolist() == [2, 3] and inner["name"] == "a"
    assert label.tolist() == [[4, 5], [6, 7]]
    assert parallel.count([x, {"y": y}]) == 6


@pytest.mark.parametrize("batch", [(ml.zeros(3), ml.zeros(4)), (ml.tensor(1.0),), ("text",)])
def test_a_batch_that_cannot_be_shared_is_told(batch):
    with pytest.raises(ShapeError, match="the first dimension of each must be the item"):
        parallel.count(batch)


def test_rows_of_the_state_are_put_together_and_cut_again(second_of_three):
    whole = ml.arange(24).reshape(2, 6, 2)
    mine = parallel.own_rows(whole, -2)
    assert mine.tolist() == whole[:, 2:4].tolist()
    parts = [whole[:, i : i + 2].numpy() for i in (0, 2, 4)]
    second_of_three.setattr(processes, "from_all", lambda value: parts)
    assert parallel.rows_of_all(mine, -2, 6).tolist() == whole.tolist()
    few = ml.arange(5).reshape(1, 5, 1)  # too few to be divided: all have all of them
    assert parallel.own_rows(few, -2).tolist() == parallel.rows_of_all(few, -2, 5).tolist()
    assert parallel.own_rows(few, -2).tolist() == few.tolist()


def test_sums_are_exchanged_as_one_array_for_each_dtype(monkeypatch):
    sent = []
    monkeypatch.setattr(processes, "add_up", lambda a: sent.append(a.shape) or a * 2)
    arrays = [np.ones((2, 3)), np.ones(4, np.float32), np.array(3.0), np.zeros((0, 2))]
    totals = parallel.add_up(arrays)
    assert sent == [(7,), (4,)]
    for array, total in zip(arrays, totals, strict=True):
        assert total.dtype == array.dtype and np.array_equal(total, array * 2)
    assert parallel.add_up([]) == []


def test_the_mean_of_all_weighs_workers_by_their_items(monkeypatch):
    monkeypatch.setattr(processes, "add_up", lambda sums: sums + np.array([3, 3 * 4.0]))
    assert parallel.joined({"loss": 2.0}, 1) == {"loss": (2.0 + 12.0) / 4}
    assert parallel.joined({"loss": float("nan")}, 0) == {"loss": 4.0}


def test_a_process_alone_gets_back_what_it_gives(tmp_path, monkeypatch):
    monkeypatch.delenv("RANK", raising=False)
    train.work_together(sync_bn=True)
    assert (processes.world(), processes.rank(), processes.local_rank()) == (1, 0, 0)
    assert not processes.invited() and not processes.supervised()
    assert processes.from_first("a") == "a" and processes.from_all("a") == ["a"]
    array = np.ones(2)
    assert processes.add_up(array) is array and processes.add_up(2.0) == 2.0
    with processes.in_turn():
        train.files.write_whole(tmp_path / "file", b"x")
    assert (tmp_path / "file").read_bytes() == b"x"
    callbacks = [train.Callback()]
    assert parallel.with_workers(callbacks) == callbacks


def test_only_the_first_worker_writes(second_of_three, tmp_path):
    train.files.write_whole(tmp_path / "file", b"x")
    assert list(tmp_path.iterdir()) == []


def test_without_torch_joining_says_what_to_install(monkeypatch):
    monkeypatch.setenv("RANK", "0")
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(ImportError, match="pip install 'minilearn.learn.'"):
        processes.join()
