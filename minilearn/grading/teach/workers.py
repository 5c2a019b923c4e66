"""Worker processes that may die: what one was doing is tried once more elsewhere, then given up."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
import traceback
import warnings
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from typing import Any

TRIES = 2
THREADS = "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"


@dataclass(frozen=True)
class Lost:
    """A task that no worker could finish, and why."""

    reason: str


class Worker:
    """One process, doing one task at a time."""

    def __init__(self) -> None:
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=_serve, args=(theirs,), daemon=True)
        self.process.start()
        theirs.close()
        self.task: Any = None
        self.since = 0.0

    def give(self, function: Callable[[Any], Any], task: Any) -> None:
        """Hand it a task."""
        self.task, self.since = task, time.monotonic()
        try:
            self.pipe.send((function, task))
        except OSError:
            pass  # it is dead; `result` will say so

    def result(self, patience: float) -> Any:
        """Take its result, or say why there will be none."""
        if not self.pipe.poll():
            return Lost(f"not finished within {patience:.0f} seconds")
        try:
            return self.pipe.recv()
        except (EOFError, OSError):
            self.process.join(5)
            return Lost(f"the worker ended with code {self.process.exitcode}")

    def end(self) -> None:
        """End it, in the middle of a task if need be."""
        self.pipe.close()
        self.process.terminate()
        self.process.join(5)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()


class Workers:
    """Some worker processes, started when they are needed; use them in a `with` block."""

    def __init__(self, jobs: int):
        self.jobs = jobs
        self.workers: list[Worker] = []

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self.workers:
            worker.end()

    def map(self, function: Callable[[Any], Any], tasks: Iterable[Any], patience: float = 3600
            ) -> Iterator[tuple[Any, Any]]:
        """Yield every task with `function(task)`, or with why it is `Lost`, in the order they end.

        function: of a module, so that another process can find it. patience: seconds for a task.
        """
        waiting, failures = deque(tasks), Counter[Any]()
        while waiting or any(w.task is not None for w in self.workers):
            for worker in self._idle(len(waiting)):
                worker.give(function, waiting.popleft())
            for worker in _ready(self.workers, patience):
                task, result = worker.task, worker.result(patience)
                worker.task = None
                if isinstance(result, Lost):
                    worker.end()
                    self.workers.remove(worker)
                    failures[task] += 1
                    if failures[task] < TRIES:
                        waiting.append(task)
                        continue
                yield task, result

    def _idle(self, wanted: int) -> list[Worker]:
        """Return workers that have nothing to do, as many as are wanted if there may be so many."""
        idle = [w for w in self.workers if w.task is None]
        while len(idle) < wanted and len(self.workers) < self.jobs:
            for name in THREADS:  # one each, or the workers would be in each other's way
                os.environ.setdefault(name, "1")
            idle.append(Worker())
            self.workers.append(idle[-1])
        return idle[:wanted]


def _ready(workers: list[Worker], patience: float) -> list[Worker]:
    """Wait for workers that have a result, have died, or have used up their time."""
    busy = [w for w in workers if w.task is not None]
    ready = wait([w.pipe for w in busy], timeout=0.5)
    return [w for w in busy if w.pipe in ready or time.monotonic() - w.since > patience]


def _serve(pipe: Connection) -> None:
    """Do tasks until there are no more, or until whoever asks is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever asks decides when it ends
    warnings.simplefilter("ignore", RuntimeWarning)  # of planted mistakes, which run here
    while True:
        try:
            function, task = pipe.recv()
        except (EOFError, OSError):
            return
        try:
            result = function(task)
        except Exception:
            result = Lost(traceback.format_exc(limit=-3))
        try:
            pipe.send(result)
        except OSError:
            return
