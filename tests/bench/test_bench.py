"""The benchmark: both sides compute the same, bursts are timed, results are written."""

import json
import sys
from statistics import median

import numpy as np
import pytest

from minilearn import bench
from minilearn.bench import __main__ as command
from minilearn.bench import coordinator, memory, ours, ratios, twins, workloads

TINY = {"rounds": 2, "seconds": 0.01}


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    path = tmp_path_factory.mktemp("bench") / "result.json"
    lines = []
    returned = bench.run("resnet-mnist-64", json_path=path, echo=lines.append, **TINY)
    return returned, json.loads(path.read_text()), lines


def test_the_file_holds_what_is_returned(result):
    returned, written, _ = result
    assert written == returned
    assert [row["name"] for row in written["workloads"]] == ["resnet-mnist-64"]
    assert written["machine"].keys() >= {"platform", "cores", "cpu", "python", "numpy", "torch"}


def test_every_number_is_plausible(result):
    for row in result[0]["workloads"]:
        assert row["threads"] == 1
        assert 0 < row["ratio_spread"][0] <= row["ratio"] <= row["ratio_spread"][1]
        for side in ("ours", "torch"):
            low, high = row[f"{side}_spread"]
            assert 0 < low <= row[f"{side}_ms"] <= high
        assert row["ratio"] == pytest.approx(row["ours_ms"] / row["torch_ms"], rel=1.0)
        assert row["ratio_memory"] == pytest.approx(row["ours_mib"] / row["torch_mib"])


def test_the_step_of_the_net_needs_memory(result):
    row = result[0]["workloads"][0]
    assert 5 < row["ours_mib"] < 500 and 5 < row["torch_mib"] < 1000


def test_the_table_has_a_line_for_each_workload(result):
    header, line, mean, *_ = result[2]
    assert header.startswith("workload")
    assert line.startswith("resnet-mnist-64") and " ms" in line and "MiB" in line
    ratio = result[0]["workloads"][0]["ratio"]
    assert mean.startswith(f"geometric mean of 1 against torch: {ratio:.2f}")


def test_the_command_passes_its_options_on(monkeypatch, capsys):
    given = []
    monkeypatch.setattr(command, "run", lambda *args, **named: given.append((args, named)))
    monkeypatch.setattr(command, "profile", lambda *args: given.append(args))
    defaults = {"rounds": 10, "seconds": 0.5, "against": "torch", "device": "numpy",
                "record": False, "beside": None}
    command.main([])
    command.main(["--only", "autograd-overhead", "--threads", "2", "--json", "x", "--rounds", "3",
                  "--against", "mygrad", "--device", "torch:cpu", "--record",
                  "--beside", "2"])
    command.main(["--profile", "unet-64"])
    assert given == [
        ((None, 1, None), defaults),
        ((["autograd-overhead"], 2, "x"),
         {"rounds": 3, "seconds": 0.5, "against": ["mygrad"], "device": "torch:cpu",
          "record": True, "beside": 2}),
        ("unet-64", 1, "numpy")]
    with pytest.raises(SystemExit):
        command.main(["--only", "everything"])
    assert "invalid choice" in capsys.readouterr().err


def test_unknown_workloads_and_threads_are_refused():
    with pytest.raises(ValueError, match="unknown workloads .'resnet'.; choose from"):
        bench.run("resnet")
    with pytest.raises(ValueError, match="unknown peers .'numba'.; choose from .'torch'"):
        bench.run("autograd-overhead", against="numba")
    with pytest.raises(ValueError, match="unknown devices .'tpu'.; choose from .'numpy'"):
        bench.run("autograd-overhead", device="tpu")
    with pytest.raises(ValueError, match="unknown workloads .'unet'.; choose from"):
        bench.profile("unet")
    with pytest.raises(ValueError, match="threads and rounds"):
        bench.run("autograd-overhead", threads=0)


def test_without_torch_a_sentence_says_what_to_install(monkeypatch):
    monkeypatch.setattr(coordinator, "find_spec", lambda name: None)
    with pytest.raises(ImportError, match="pip install"):
        bench.run("autograd-overhead", echo=len)


class Fake:
    """A worker that answers from a list."""

    def __init__(self, numbers):
        self.numbers, self.asked = numbers, []

    def ask(self, do, **arguments):
        self.asked.append(do)
        return {"numbers": self.numbers, "ms": [9.0, 2.0, 3.0]}


def test_different_numbers_stop_the_comparison():
    coordinator.check("x", Fake([1.0, 2.00001]), Fake([1.0, 2.0]), "torch")
    for wrong in (2.001, float("nan")):
        with pytest.raises(RuntimeError, match="number 1 is"):
            coordinator.check("x", Fake([1.0, wrong]), Fake([1.0, 2.0]))
    with pytest.raises(ValueError):
        coordinator.check("x", Fake([1.0]), Fake([1.0, 2.0]))


def test_the_weights_are_handed_over_before_the_check():
    mine, its = Fake([1.0]), Fake([1.0])
    coordinator.check("x", mine, its)
    assert mine.asked == ["weights", "check"] and its.asked == ["load", "check"]


def test_a_failing_worker_is_reported():
    with coordinator.Worker("minilearn", "autograd-overhead", 1) as worker:
        with pytest.raises(RuntimeError, match="unknown command 'dance'"):
            worker.ask("dance")


def test_a_worker_has_the_threads_it_was_given(monkeypatch):
    seen = {}

    class Popen:
        def __init__(self, command, env, **rest):
            seen.update(command=command, env=env)

    monkeypatch.setattr(coordinator.subprocess, "Popen", Popen)
    coordinator.Worker("torch", "autograd-overhead", 3, "cuda").errors.close()
    assert [seen["env"][name] for name in coordinator.THREAD_VARIABLES] == ["3", "3", "3"]
    assert seen["command"][0] == sys.executable and seen["command"][-2:] == ["3", "cuda"]


def test_steps_fill_a_burst():
    assert coordinator.steps_within(Fake([]), 0.5) == 166  # a median step of 3 ms
    assert coordinator.steps_within(Fake([]), 1e-6) == 1


def test_the_ratio_compares_bursts_side_by_side():
    # The machine slows down tenfold half-way; side by side, ours is always twice torch's time.
    summary = ratios.timing([[2, 2, 2], [20, 20, 20]], [[1, 1, 1], [10, 10, 10]], "torch")
    assert summary["ratio"] == 2 and summary["ratio_spread"] == [2, 2] and not summary["unsure"]
    assert summary["ours_ms"] == 11 and summary["torch_steps"] == 6
    assert summary["torch_ms"] == median([1, 1, 1, 10, 10, 10])


TINY_WORKLOADS = {
    "resnet_step": (3,), "chain": (5,), "gru_step": (2, 3, 4, 5),
    "unet_step": (((2, 3, 5), (1, 4, 3)), 2, 8, 2), "generator_step": (2, 2),
    "critic_step": (2, 16, 3), "epoch": (20, 5),
}


def test_each_workload_is_tested_below():
    assert TINY_WORKLOADS.keys() == {function for function, _ in workloads.WORKLOADS.values()}


@pytest.mark.parametrize(("name", "arguments"), TINY_WORKLOADS.items())
def test_both_sides_have_the_same_weights_and_numbers(name, arguments):
    mine, its = (getattr(module, name)(*arguments) for module in (ours, twins))
    assert [w.shape for w in mine.weights()] == [w.shape for w in its.weights()]
    its.load(mine.weights())
    for _ in range(2):
        np.testing.assert_allclose(mine.step(), its.step(), rtol=1e-3)
    for a, b in zip(mine.weights(), its.weights(), strict=True):
        np.testing.assert_allclose(a, b, atol=3e-3)
    if name == "resnet_step":
        assert sum(w.size for w in mine.weights()) == 41_132
    if name in ("resnet_step", "unet_step", "generator_step", "critic_step"):  # they learn
        before = mine.weights()
        mine.step()
        assert any((a != b).any() for a, b in zip(before, mine.weights(), strict=True))
        mine.load(before)
        assert all((a == b).all() for a, b in zip(before, mine.weights(), strict=True))


def test_each_contestant_has_every_workload():
    for function, _ in workloads.WORKLOADS.values():
        assert callable(getattr(ours, function)) and callable(getattr(twins, function))


def test_peak_memory_sees_what_was_freed_again():
    memory.restart_peak()
    before = memory.resident()
    block = np.ones(64 * 2**20, np.uint8)  # too large to come out of memory freed before
    del block
    assert 60 < memory.peak() - before < 130


@pytest.mark.skipif(sys.platform != "linux", reason="the peak can be restarted on Linux only")
def test_the_peak_can_be_restarted():
    block = np.ones(64 * 2**20, np.uint8)
    del block
    memory.restart_peak()
    assert memory.peak() - memory.resident() < 30


def test_without_proc_the_peak_comes_from_the_system(monkeypatch):
    linux = memory.peak()
    monkeypatch.setattr(memory, "_status", lambda field: None)
    assert memory.peak() >= linux * 0.5
    assert memory.resident() == memory.peak()
