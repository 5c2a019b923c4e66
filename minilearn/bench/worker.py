"""A contestant's own process: it reads commands on stdin, one JSON object a line, and answers each.

    {"do": "weights", "path": ...}  write the weights to a file       -> {"weights": their number}
    {"do": "load", "path": ...}     start from the weights in a file  -> {"weights": their number}
    {"do": "check", "steps": n}     run n steps                       -> {"numbers": [...]}
    {"do": "burst", "steps": n}     run 1 + n steps, time all but one -> {"ms": [...]}
    {"do": "memory"}                                                  -> {"peak": MiB over imports}
    {"do": "profile", "steps": n}   time the ops of n steps of ours   -> {"rows": [...]}

Run by `coordinator.py` as `python -m minilearn.bench.worker CONTESTANT WORKLOAD THREADS DEVICE`.
"""

from __future__ import annotations

import json
import os
import sys
from importlib import import_module
from time import perf_counter
from typing import Any

import numpy as np

from . import memory
from .profile import Profile
from .workloads import CONTESTANTS, Workload, function_and_arguments


def answer(workload: Workload, base: float, do: str, path: str = "", steps: int = 0) -> dict:
    """Carry out one command."""
    if do == "weights":
        weights = workload.weights()
        np.savez(path, *weights)
        return {"weights": len(weights)}
    if do == "load":
        with np.load(path) as saved:
            workload.load([saved[f"arr_{i}"] for i in range(len(saved.files))])
            return {"weights": len(saved.files)}
    if do == "check":
        return {"numbers": [number for _ in range(steps) for number in workload.step()]}
    if do == "memory":
        return {"peak": memory.peak() - base}
    if do == "burst":
        workload.step()  # the first call pays for caches that the other contestant has emptied
        return {"ms": [timed(workload) for _ in range(steps)]}
    if do == "profile":
        return {"rows": profiled(workload, steps)}
    raise ValueError(f"worker: unknown command {do!r}")


def timed(workload: Workload) -> float:
    """Run one step and return how long it took, in milliseconds."""
    start = perf_counter()
    workload.step()
    return (perf_counter() - start) * 1e3


def profiled(workload: Workload, steps: int) -> list[dict[str, Any]]:
    """Return where the time of some steps goes, after one to warm up."""
    workload.step()
    with Profile() as profile:
        for _ in range(steps):
            workload.step()
    return profile.rows()


def main(contestant: str, workload: str, threads: str, device: str = "numpy") -> None:
    """Answer commands until stdin is closed."""
    # Whatever a library prints must not mix with the answers.
    replies: Any = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    module = import_module(CONTESTANTS[contestant])
    module.prepare(int(threads), device)
    base = memory.resident()
    memory.restart_peak()
    function, arguments = function_and_arguments(workload)
    ready = getattr(module, function)(*arguments)
    for line in sys.stdin:
        print(json.dumps(answer(ready, base, **json.loads(line))), file=replies, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
