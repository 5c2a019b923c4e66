"""The one door to other processes that work on the same training.

The processes are started by `--workers` or by `torchrun`; `torch.distributed` joins them, over gloo
for arrays on the host and NCCL for arrays on a GPU. Torch is needed for that and for nothing else:
it is imported by `join`. A process that has not joined others is alone: `world()` is 1, and every
function here returns what it is given.
"""

from __future__ import annotations

import atexit
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

STORE = "MINILEARN_STORE"  # where workers of one machine find each other; torchrun has a port
DESERTED = 75  # the exit status of a worker that ended because another had (EX_TEMPFAIL)
_dist: Any = None  # torch.distributed, once this process has joined others


class PeerLost(RuntimeError):
    """Another process of the same training has ended."""


def invited() -> bool:
    """Say whether this process was started as one of several: by `--workers` or `torchrun`."""
    return int(os.environ.get("WORLD_SIZE", 1)) > 1 and "RANK" in os.environ


def supervised() -> bool:
    """Say whether it was started by `--workers`: then the process that did tells what goes wrong"""
    return invited() and STORE in os.environ


def join() -> None:
    """Join the other processes, and wait until all have come; with a GPU each, take the next one.

    Raises ImportError without torch, PeerLost when the others do not come.
    """
    global _dist
    if _dist is not None or not invited():
        return
    torch = _torch()
    if supervised():
        threading.Thread(target=_end_with_the_supervisor, daemon=True).start()
    gpus, here = torch.cuda.device_count(), int(os.environ.get("LOCAL_WORLD_SIZE", 1))
    if gpus:
        torch.cuda.set_device(local_rank() % gpus)
    with _told():
        torch.distributed.init_process_group(
            None if gpus >= here else "gloo",  # NCCL wants a GPU for each process; None: both
            init_method=os.environ.get(STORE, "env://"), rank=int(os.environ["RANK"]),
            world_size=int(os.environ["WORLD_SIZE"]))
    _dist = torch.distributed
    atexit.register(leave)


def _torch() -> Any:
    try:
        import torch
        import torch.distributed
    except ImportError:
        raise ImportError("several workers are joined by torch.distributed, which needs the "
                          "package torch: pip install 'minilearn[learn]'") from None
    return torch


def _end_with_the_supervisor() -> None:
    """Wait until the process that started this one is gone, however it went, and go too."""
    os.read(0, 1)
    os._exit(DESERTED)


def leave() -> None:
    """Leave the others; nothing happens where there are none."""
    global _dist
    if _dist is not None:
        _dist.destroy_process_group()
        _dist = None


def world() -> int:
    """Return how many processes work together; 1 for a process alone."""
    return 1 if _dist is None else _dist.get_world_size()


def rank() -> int:
    """Return this process's number among them, from 0, the first, which speaks and writes."""
    return 0 if _dist is None else _dist.get_rank()


def local_rank() -> int:
    """Return its number among those of the same machine."""
    return int(os.environ.get("LOCAL_RANK", 0)) if invited() else 0


# ---------------------------------------------------------------- exchanging


def add_up(array: Any) -> Any:
    """Return the sum of what all processes give: numbers, or arrays of equal shape and dtype.

    Each process must ask for the same sums in the same order.
    Raises PeerLost when one of them has ended.

    >>> add_up(2.5)  # of a process alone
    2.5
    """
    if world() == 1:
        return array
    if isinstance(array, float):
        return float(add_up(np.array(array)))
    on_host = isinstance(array, np.ndarray)
    copy: Any = np.array(array, order="C") if on_host else array.contiguous().clone()
    sums: Any = _torch().from_numpy(copy) if on_host else copy
    with _told():
        _dist.all_reduce(sums)
    return sums.numpy() if on_host else sums


def from_first(value: Any) -> Any:
    """Return what the first process gives (anything that can be pickled), in all of them."""
    if world() == 1:
        return value
    box = [value if rank() == 0 else None]
    with _told():
        _dist.broadcast_object_list(box, 0)
    return box[0]


def from_all(value: Any) -> list:
    """Return what each process gives (anything that can be pickled), in the order of ranks."""
    if world() == 1:
        return [value]
    values = [None] * world()
    with _told():
        _dist.all_gather_object(values, value)
    return values


@contextmanager
def in_turn() -> Iterator[None]:
    """Let the first process of each machine run a block before the others do: it may download."""
    if world() > 1 and local_rank() > 0:
        _wait()
    yield
    if world() > 1 and local_rank() == 0:
        _wait()


def _wait() -> None:
    with _told():
        _dist.barrier()


@contextmanager
def _told() -> Iterator[None]:
    """Turn the engine's error into a sentence: it means that a connection broke."""
    try:
        yield
    except RuntimeError as error:
        raise PeerLost("the connection to the other workers broke: one has ended") from error
