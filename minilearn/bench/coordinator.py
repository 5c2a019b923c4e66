"""Runs contestants against each other: each in a process of its own, in short bursts by turns.

Two traps are avoided that cost factors, not percent: two libraries in one process, whose waiting
threads starve each other; and more threads than the machine has free, so the default is one. By
turns, because a machine's speed drifts: only what was measured side by side is compared.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import Any

from . import report
from .profile import table
from .ratios import overloaded, timing
from .workloads import CONTESTANTS, DEVICES, WORKLOADS

THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
PACKAGES = Path(__file__).parents[2]  # where the package `minilearn` lies
TOLERANCE = 1e-4  # relative, in float32, over three steps
RIVALS = [name for name in CONTESTANTS if name != "minilearn"]


class Worker:
    """One contestant's process, and the conversation with it; to be used in a `with` block."""

    def __init__(self, contestant: str, workload: str, threads: int, device: str = "numpy"):
        self.name = f"{contestant} on {workload}"
        path = os.pathsep.join(filter(None, [str(PACKAGES), os.environ.get("PYTHONPATH", "")]))
        limits = dict.fromkeys(THREAD_VARIABLES, str(threads))
        self.errors = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "minilearn.bench.worker", contestant, workload, str(threads),
             device],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors, text=True,
            env={**os.environ, **limits, "PYTHONPATH": path})

    def ask(self, do: str, **arguments: Any) -> dict[str, Any]:
        """Send one command and return the answer. Raises RuntimeError if the process has died."""
        try:
            self.process.stdin.write(json.dumps({"do": do, **arguments}) + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass  # it has died, and the answer will be missing
        line = self.process.stdout.readline()
        if not line:
            self.process.wait()
            self.errors.seek(0)
            raise RuntimeError(f"bench: {self.name} failed:\n{self.errors.read()[-2000:]}")
        return json.loads(line)

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *exc: object) -> None:
        self.process.kill()
        self.process.communicate()
        self.errors.close()


def run(
    only: str | Iterable[str] | None = None, threads: int = 1, json_path: str | Path | None = None,
    *, against: str | Iterable[str] = "torch", device: str = "numpy", rounds: int = 10,
    seconds: float = 0.5, beside: int | None = None, record: bool = False,
    echo: Callable[[str], Any] = print,
) -> dict[str, Any]:
    """Compare minilearn with others on the workloads, print a table, and return the measurements.

    only: names of workloads (all by default). threads: for each contestant. json_path: a file to
    write the result to. against: one or more of torch, tinygrad, mygrad, autograd; those that are
    not installed are skipped with a line. device: the array library of minilearn; torch computes
    on the same processor. rounds, seconds: how many bursts each has, and how long one takes.
    beside: another number of threads to repeat each comparison with, shown beside the first.
    record: add the result to RESULTS.md. Raises ValueError for an unknown name, ImportError where
    nobody is there to compare with, RuntimeError where the numbers differ.
    """
    names = _known("workloads", only, WORKLOADS)
    rivals = _installed(_known("peers", against, RIVALS), echo)
    _known("devices", device, DEVICES)
    if min(threads, rounds, beside or 1) < 1:
        raise ValueError(f"bench: threads and rounds must be 1 or more; got {threads} and {rounds}")
    rows = []
    echo(report.header(beside))
    for name in names:
        for rival in rivals:
            if not _has(rival, name):
                echo(f"{name:<20}{rival:<10}skipped: {rival} does not run this workload here")
                continue
            try:
                row = compare(name, threads, rounds, seconds, rival, device)
                if beside:
                    row["beside"] = compare(name, beside, rounds, seconds, rival, device)
                rows.append(row)
            except RuntimeError as error:
                if rival == "torch":
                    raise
                echo(f"{name:<20}{rival:<10}skipped: {str(error).strip().splitlines()[-1]}")
                continue
            echo(report.line(rows[-1]))
    for line in report.summary(rows):
        echo(line)
    result = {"workloads": rows, "machine": report.machine(), "threads": threads,
              "beside": beside, "device": device}
    if json_path is not None:
        Path(json_path).write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    if record:
        report.record(result)
    return result


def profile(
    workload: str, threads: int = 1, device: str = "numpy", *, steps: int = 5,
    echo: Callable[[str], Any] = print,
) -> list[dict[str, Any]]:
    """Print where the time of a workload's step goes, by op and layer, and return the rows."""
    (name,) = _known("workloads", workload, WORKLOADS)
    _known("devices", device, DEVICES)
    with Worker("minilearn", name, threads, device) as worker:
        rows = worker.ask("profile", steps=steps)["rows"]
    echo(f"{name}: {steps} steps together")
    for line in table(rows):
        echo(line)
    return rows


def _known(kind: str, given: str | Iterable[str] | None, known: Iterable[str]) -> list[str]:
    """Return the names that were given, or all of them. Raises ValueError for an unknown one."""
    names = list(known) if given is None else [given] if isinstance(given, str) else list(given)
    if unknown := [name for name in names if name not in known]:
        raise ValueError(f"bench: unknown {kind} {unknown}; choose from {list(known)}")
    return list(dict.fromkeys(names))


def _installed(rivals: list[str], echo: Callable[[str], Any]) -> list[str]:
    """Leave out the rivals that are not there, and say so."""
    there = [rival for rival in rivals if find_spec(rival) is not None]
    for rival in rivals:
        if rival not in there and rival != "torch":
            echo(f"{rival} is not installed, and skipped.")
    if "torch" in rivals and "torch" not in there:
        raise ImportError("bench compares with torch, which is not installed: "
                          "pip install 'minilearn[learn]'")
    if not there:
        raise ImportError(f"bench: none of {', '.join(rivals)} is installed; pip install torch")
    return there


def _has(rival: str, workload: str) -> bool:
    """Say whether a rival runs a workload, from its source: it is not imported here."""
    if rival == "torch":
        return True
    function, _ = WORKLOADS[workload]
    source = Path(__file__).with_name(f"{CONTESTANTS[rival].rpartition('.')[2]}.py")
    return f"def {function}(" in source.read_text(encoding="utf-8")


def compare(
    name: str, threads: int, rounds: int, seconds: float, rival: str = "torch",
    device: str = "numpy",
) -> dict[str, Any]:
    """Run one workload on both sides: first the check, then memory, then time."""
    with Worker("minilearn", name, threads, device) as ours, \
            Worker(rival, name, threads, device) as theirs:
        check(name, ours, theirs, rival)
        memory = [worker.ask("memory")["peak"] for worker in (ours, theirs)]
        steps = [steps_within(worker, seconds) for worker in (ours, theirs)]
        bursts: tuple[list, list] = [], []
        for _ in range(rounds):
            for worker, count, times in zip((ours, theirs), steps, bursts, strict=True):
                times.append(worker.ask("burst", steps=count)["ms"])
    row = {"name": name, "against": rival, **timing(*bursts, rival), "ours_mib": memory[0],
           f"{rival}_mib": memory[1], "ratio_memory": memory[0] / max(memory[1], 1e-9),
           "threads": threads}
    row["unsure"] = row["unsure"] or overloaded(threads)
    return row


def check(name: str, ours: Worker, theirs: Worker, rival: str = "torch") -> None:
    """Start both from the same weights and run three steps: the numbers must agree."""
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "weights.npz")
        ours.ask("weights", path=path)
        theirs.ask("load", path=path)
    mine, its = (worker.ask("check", steps=3)["numbers"] for worker in (ours, theirs))
    for i, (a, b) in enumerate(zip(mine, its, strict=True)):
        if not abs(a - b) <= TOLERANCE * abs(b):
            raise RuntimeError(f"bench: on {name} the contestants compute different numbers: "
                               f"number {i} is {a!r} here and {b!r} in {rival}")


def steps_within(worker: Worker, seconds: float) -> int:
    """Return how many steps fill a burst; running them is the warm-up."""
    step = median(worker.ask("burst", steps=3)["ms"])
    return max(int(seconds * 1e3 / step), 1)
