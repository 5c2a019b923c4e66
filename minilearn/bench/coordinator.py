"""Runs contestants against each other: each in a process of its own, in short bursts by turns.

Two traps are avoided that cost factors, not percent: two libraries in one process, whose waiting
threads starve each other; and more threads than the machine has free, so the default is one. By
turns, because a machine's speed drifts: only what was measured side by side is compared.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from .workloads import CONTESTANTS, WORKLOADS

THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
PACKAGES = Path(__file__).parents[2]  # where the package `minilearn` lies
TOLERANCE = 1e-4  # relative, in float32, over three steps


class Worker:
    """One contestant's process, and the conversation with it; to be used in a `with` block."""

    def __init__(self, contestant: str, workload: str, threads: int):
        self.name = f"{contestant} on {workload}"
        path = os.pathsep.join(filter(None, [str(PACKAGES), os.environ.get("PYTHONPATH", "")]))
        limits = dict.fromkeys(THREAD_VARIABLES, str(threads))
        self.errors = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "minilearn.bench.worker", contestant, workload, str(threads)],
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
    *, rounds: int = 10, seconds: float = 0.5, echo: Callable[[str], Any] = print,
) -> dict[str, Any]:
    """Compare minilearn with torch on the workloads, print a table, and return the measurements.

    only: names of workloads (all by default). threads: for each contestant. json_path: a file to
    write the result to. rounds, seconds: how many bursts each has, and how long one takes. Raises
    ValueError for an unknown workload, ImportError without torch, RuntimeError where the
    contestants do not compute the same numbers.
    """
    names = list(WORKLOADS) if only is None else [only] if isinstance(only, str) else list(only)
    if unknown := [name for name in names if name not in WORKLOADS]:
        raise ValueError(f"bench: unknown workloads {unknown}; choose from {list(WORKLOADS)}")
    if min(threads, rounds) < 1:
        raise ValueError(f"bench: threads and rounds must be 1 or more; got {threads} and {rounds}")
    if find_spec("torch") is None:
        raise ImportError("bench compares with torch, which is not installed: "
                          "pip install 'minilearn[learn]'")
    echo(HEADER)
    rows = []
    for name in names:
        rows.append(compare(name, threads, rounds, seconds))
        echo(LINE.format(**rows[-1]))
    result = {"workloads": rows, "machine": machine(), "threads": threads}
    if json_path is not None:
        Path(json_path).write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    return result


def compare(name: str, threads: int, rounds: int, seconds: float) -> dict[str, Any]:
    """Run one workload on both sides: first the check, then memory, then time."""
    with Worker("minilearn", name, threads) as ours, Worker("torch", name, threads) as torch:
        check(name, ours, torch)
        memory = [worker.ask("memory")["peak"] for worker in (ours, torch)]
        steps = [steps_within(worker, seconds) for worker in (ours, torch)]
        bursts: tuple[list, list] = [], []
        for _ in range(rounds):
            for worker, count, times in zip((ours, torch), steps, bursts, strict=True):
                times.append(worker.ask("burst", steps=count)["ms"])
    return {"name": name, **timing(*bursts), "ours_mib": memory[0], "torch_mib": memory[1],
            "ratio_memory": memory[0] / max(memory[1], 1e-9), "threads": threads}


def check(name: str, ours: Worker, torch: Worker) -> None:
    """Start both from the same weights and run three steps: the numbers must agree."""
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "weights.npz")
        ours.ask("weights", path=path)
        torch.ask("load", path=path)
    mine, its = (worker.ask("check", steps=3)["numbers"] for worker in (ours, torch))
    for i, (a, b) in enumerate(zip(mine, its, strict=True)):
        if not abs(a - b) <= TOLERANCE * abs(b):
            raise RuntimeError(f"bench: on {name} the contestants compute different numbers: "
                               f"number {i} is {a!r} here and {b!r} in torch")


def steps_within(worker: Worker, seconds: float) -> int:
    """Return how many steps fill a burst; running them is the warm-up."""
    step = median(worker.ask("burst", steps=3)["ms"])
    return max(int(seconds * 1e3 / step), 1)


def timing(ours: list[list[float]], torch: list[list[float]]) -> dict[str, Any]:
    """Summarise the times of bursts taken by turns, in milliseconds.

    ratio: the median, over the rounds, of the ratio of both bursts' medians; ratio_spread and
    ..._spread: the quartiles.
    """
    ratios = [median(a) / median(b) for a, b in zip(ours, torch, strict=True)]
    summary: dict[str, Any] = {"ratio": median(ratios), "ratio_spread": quartiles(ratios)}
    for side, bursts in (("ours", ours), ("torch", torch)):
        times = [ms for burst in bursts for ms in burst]
        summary |= {f"{side}_ms": median(times), f"{side}_spread": quartiles(times),
                    f"{side}_steps": len(times)}
    return summary


def quartiles(values: list[float]) -> list[float]:
    """Return the first and the third quartile."""
    return quantiles(values, n=4, method="inclusive")[::2] if len(values) > 1 else values * 2


def machine() -> dict[str, Any]:
    """Say what the numbers were measured on; a `load` above 1 means that others were at work."""
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
    return {"platform": platform.platform(), "cores": os.cpu_count(), "load": load,
            "python": platform.python_version(), "contestants": list(CONTESTANTS),
            **{package: version(package) for package in ("numpy", "torch")}}


HEADER = f"{'workload':<20}{'ours':>10}{'torch':>10}{'ratio':>8}  {'quartiles':<12}{'memory':>18}"
LINE = ("{name:<20}{ours_ms:>7.2f} ms{torch_ms:>7.2f} ms{ratio:>8.2f}  "
        "{ratio_spread[0]:.2f}-{ratio_spread[1]:.2f}   "
        "{ours_mib:>6.0f} /{torch_mib:>4.0f} MiB {ratio_memory:.2f}")
