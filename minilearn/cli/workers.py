"""`--workers N`: the same command in N processes that share the work, and one that watches them.

The first worker prints and writes. The process that the user started only waits: when a worker
dies it ends the others and says so. `torchrun` does as much across machines.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import typer

from .. import processes
from ..train import work_together

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
PACKAGES = Path(__file__).parents[2]  # where the package `minilearn` lies
TOLD = (1, 2, 130)  # statuses with which a command ends after it has said why
PATIENCE = 3.0  # seconds that the others have to end by themselves


def start(context: typer.Context, workers: int) -> int:
    """Become one of several workers, or start them and end with their status."""
    if context.resilient_parsing:
        return workers
    if processes.invited():
        if workers > 1 and not processes.supervised():
            raise typer.BadParameter("torchrun has started the workers; leave this option out")
        work_together(bool(context.params.get("sync_bn")))
    elif workers > 1:
        raise typer.Exit(run(workers, context.obj))
    return workers


WorkersOption = Annotated[
    int, typer.Option("--workers", min=1, callback=start,
                      help="Processes that share each batch (needs torch).")
]
SyncNormOption = Annotated[
    bool, typer.Option("--sync-bn", is_eager=True,
                       help="With --workers: batch norm over the joined batch.")
]


def run(workers: int, arguments: list[str]) -> int:
    """Run a command in several workers; return 0, or how the first one that failed ended.

    arguments: those of the command line. Raises ImportError where torch is missing.
    """
    if find_spec("torch") is None:
        raise ImportError("--workers needs the package torch, which joins the processes: "
                          "pip install 'minilearn[learn]'")
    with TemporaryDirectory() as folder:
        team: list[subprocess.Popen] = []
        try:
            team += (begin(rank, workers, arguments, Path(folder)) for rank in range(workers))
            return watch(team, Path(folder))
        except KeyboardInterrupt:
            # To the first alone: the others are told by it, when their connection to it breaks.
            team[0].send_signal(signal.SIGINT)
            statuses(team[:1], PATIENCE)
            return 130
        finally:
            for worker in team:
                worker.kill()
                worker.communicate()


def begin(rank: int, workers: int, arguments: list[str], folder: Path) -> subprocess.Popen:
    """Start one worker. Its errors go to a file in the folder, unless it is the first."""
    path = os.pathsep.join(filter(None, [str(PACKAGES), os.environ.get("PYTHONPATH", "")]))
    threads = str(max((os.cpu_count() or 1) // workers, 1))
    loopback = [name for _, name in socket.if_nameindex() if name.startswith("lo")][:1]
    environment = {
        **dict.fromkeys(THREADS, threads), "GLOO_SOCKET_IFNAME": "".join(loopback),
        **os.environ, "PYTHONPATH": path, processes.STORE: (folder / "store").as_uri(),
        "RANK": str(rank), "LOCAL_RANK": str(rank),
        "WORLD_SIZE": str(workers), "LOCAL_WORLD_SIZE": str(workers)}
    with (folder / f"errors-{rank}").open("wb") as errors:
        quiet: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": errors} if rank else {}
        return subprocess.Popen(  # in a session of its own: Ctrl-C reaches it through `run` alone
            [sys.executable, "-m", "minilearn", *arguments], stdin=subprocess.PIPE,
            env=environment, start_new_session=True, **quiet)


def watch(team: list[subprocess.Popen], folder: Path) -> int:
    """Wait until all workers have ended, or one has failed; return the command's status."""
    while (ended := statuses(team)).count(0) < len(team):
        if any(ended):
            return failed(statuses(team, PATIENCE), folder)
        time.sleep(0.1)
    return 0


def statuses(team: list[subprocess.Popen], patience: float = 0.0) -> list[int | None]:
    """Return the exit status of each worker, None while it runs; wait a while for the others."""
    until = time.monotonic() + patience
    while None in (found := [worker.poll() for worker in team]) and time.monotonic() < until:
        time.sleep(0.05)
    return found


def failed(ended: list[int | None], folder: Path) -> int:
    """Say which worker failed and how, unless it was the first and has said so itself."""
    guilty = [(rank, s) for rank, s in enumerate(ended) if s not in (None, 0, processes.DESERTED)]
    rank, status = guilty[0] if guilty else (0, processes.DESERTED)
    if rank == 0 and status in TOLD:
        return status
    errors = folder / f"errors-{rank}"
    last = errors.read_text(errors="replace").split("\n")[-2:-1]
    how = f"was killed by {signal.Signals(-status).name}" if status < 0 else "failed"
    why = "".join(f": {line.removeprefix('Error: ')}" for line in last)
    print(f"Error: the worker of rank {rank} (of {len(ended)}) {how}, exit status {status}; the "
          f"others were ended too{why}", file=sys.stderr)
    return 1
