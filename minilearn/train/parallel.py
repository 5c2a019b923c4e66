"""Data parallelism: several workers train as one, each on its share of every batch.

Each worker is a process of its own that runs the whole program, on the same batches, from the same
weights. Two things only are different. It predicts its share of a batch and not all of it; and
before the optimizer's step, the gradients of all workers are added up. So all take the same step,
and it is the one that a single process would take on the joined batch. The sums go through
`processes`; only the first worker writes files (`write_whole`) and is heard.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from .. import processes, xp
from ..data.collate import leaves
from ..errors import ShapeError
from ..nn import Module
from ..tensor import Tensor
from .callbacks import Callback

STATISTICS = ("running_mean", "running_var")  # buffers of which the workers keep the average
_options = {"sync_bn": False}


def work_together(sync_bn: bool = False) -> None:
    """Join the processes that `torchrun` started: from now on, each Learner here is one of them.

    sync_bn: let batch norm use the statistics of the joined batch, not of each worker's share.
    What any worker but the first prints is not shown. Nothing happens in a process alone.
    Raises ImportError without torch, PeerLost when the others do not come.
    """
    _options["sync_bn"] = sync_bn
    processes.join()
    if processes.rank():
        sys.stdout = open(os.devnull, "w")


def with_workers(callbacks: Sequence[Callback]) -> list[Callback]:
    """Return the callbacks with what makes a Learner one of several, where there are several."""
    if processes.world() == 1:
        return list(callbacks)
    parallel = Parallel(**_options)
    return [parallel, *callbacks, _Apart(parallel)]


class Parallel(Callback):
    """Cut this worker's share out of each batch, and add up what all workers found.

    The loss must be a mean over the items of its batch: then the joined batch's loss is the mean
    of the shares' losses, each weighted by its number of items.
    """

    def __init__(self, sync_bn: bool = False) -> None:
        self.sync_bn, self.weight = sync_bn, 1.0

    def before_fit(self, learn: Any) -> None:
        start_alike(learn.model)
        self.norms = [m for m in learn.model.modules() if self.sync_bn and hasattr(m, "together")]
        self.valid = learn.valid
        if learn.valid is not None:
            learn.valid = Shares(learn.valid)

    def before_epoch(self, learn: Any) -> None:
        # The order of the items follows from it, so it must not drift apart.
        chance = xp.generator().bit_generator
        chance.state = processes.from_first(chance.state)

    def before_batch(self, learn: Any) -> None:
        self.batch, items = learn.batch, count(learn.batch)
        here = share(items) if divided(items) else slice(0, items)
        self.weight = len(range(items)[here]) / items if divided(items) else 1 / processes.world()
        learn.batch = cut(learn.batch, here)
        self._together(divided(items))

    def after_loss(self, learn: Any) -> None:
        # Its value is the joined batch's, its history this share's.
        value = processes.add_up(xp.asarray(learn.loss.data * self.weight))
        learn.loss = Tensor(value, learn.loss.node)
        learn.batch = self.batch  # for whoever asks in which item a loss that is nan arose

    def after_backward(self, learn: Any) -> None:
        grads = [p.grad for p in learn.model.parameters() if p.grad is not None]
        buffers = [buffer for name, buffer in learn.model.named_buffers()
                   if name.endswith(STATISTICS)]
        mine = [g.data for g in grads] + [b.data * self.weight for b in buffers]
        for tensor, total in zip([*grads, *buffers], add_up(mine), strict=True):
            tensor.data = total
        self._together(False)

    def after_epoch(self, learn: Any) -> None:
        if learn.results:
            learn.results = joined(learn.results, learn.valid.items)

    def after_fit(self, learn: Any) -> None:
        learn.valid = self.valid

    def _together(self, wanted: bool) -> None:
        for norm in self.norms:
            norm.together = wanted


class _Apart(Callback):
    """What sets the workers apart between their callbacks' turns: told last of each event.

    The net draws its chance (dropout's masks) from a stream of each worker's own. The loss, when
    everyone has added to it, is weighted by the size of the share.
    """

    def __init__(self, parallel: Parallel) -> None:
        self.parallel = parallel
        self.common: Any = None  # the state of the generator that all workers have in common

    def before_batch(self, learn: Any) -> None:
        chance = xp.generator().bit_generator
        self.common = chance.state
        seed = (self.common["state"]["state"], learn.iteration, processes.rank())
        chance.state = np.random.default_rng(seed).bit_generator.state

    def after_loss(self, learn: Any) -> None:
        learn.loss = Tensor(learn.loss.data, (learn.loss * self.parallel.weight).node)

    def after_backward(self, learn: Any) -> None:
        if self.common is not None:
            xp.generator().bit_generator.state, self.common = self.common, None

    after_fit = after_backward  # where the step was not finished


class Shares:
    """This worker's shares of a loader's batches; `items` counts those of the last pass."""

    def __init__(self, loader: Iterable) -> None:
        self.loader, self.items = loader, 0

    def __iter__(self) -> Iterator[Any]:
        self.items = 0
        for batch in self.loader:
            here = share(count(batch))
            if here.stop > here.start:
                self.items += here.stop - here.start
                yield cut(batch, here)

    def __len__(self) -> int:
        return len(self.loader)  # type: ignore[arg-type]


# ---------------------------------------------------------------- parts


def share(items: int) -> slice:
    """Return which of a number of items are this worker's: shares differ by one item at most."""
    rank, world = processes.rank(), processes.world()
    return slice(items * rank // world, items * (rank + 1) // world)


def divided(items: int) -> bool:
    """Say whether a batch is shared. Batch norm needs two items: a batch of fewer for each worker
    is worked through whole by all."""
    return items >= 2 * processes.world() > 2


def count(batch: Any) -> int:
    """Return the number of items in a batch, the first dimension of every tensor in it.

    Raises ShapeError where they differ, or where there is no tensor.
    """
    shapes: list[tuple[int, ...]] = []
    leaves(lambda tensor: shapes.append(tensor.shape), batch, Tensor)
    if len({shape[:1] for shape in shapes}) != 1 or not shapes[0]:
        raise ShapeError(f"several workers cannot share a batch with tensors of the shapes {shapes}"
                         "; the first dimension of each must be the item")
    return shapes[0][0]


def cut(batch: Any, here: slice) -> Any:
    """Return some items of a batch: of every tensor in it, at any depth."""
    return leaves(lambda tensor: tensor[here], batch, Tensor)


def rows_of_all(tensor: Tensor, dim: int, items: int) -> Tensor:
    """Put the rows that each worker keeps of a batch's items together; they lie along `dim`."""
    if not divided(items):
        return tensor
    return Tensor(xp.array(np.concatenate(processes.from_all(xp.to_numpy(tensor.data)), dim)))


def own_rows(tensor: Tensor, dim: int) -> Tensor:
    """Return this worker's of the rows that `rows_of_all` has put together."""
    items = tensor.shape[dim]
    here = share(items) if divided(items) else slice(0, items)
    return tensor.narrow(dim, here.start, here.stop - here.start)


def start_alike(model: Module) -> None:
    """Give every worker's model the weights of the first worker's."""
    arrays = {name: xp.to_numpy(t.data) for name, t in model.state_dict().items()}
    model.load_state_dict(processes.from_first(arrays))


def add_up(arrays: Sequence[Any]) -> list[Any]:
    """Return the sums over all workers of each array, exchanged as one long array for each dtype.

    One message takes hardly longer than the sum of its parts, a hundred small ones far longer.
    """
    totals: list[Any] = list(arrays)
    for kind in dict.fromkeys(a.dtype for a in arrays):
        places = [i for i, a in enumerate(arrays) if a.dtype == kind]
        flat = xp.concat([xp.reshape(arrays[i], (-1,)) for i in places])
        flat, start = processes.add_up(flat), 0
        for i in places:
            end = start + int(np.prod(arrays[i].shape))
            totals[i], start = xp.reshape(flat[start:end], arrays[i].shape), end
    return totals


def joined(results: dict[str, float], items: int) -> dict[str, float]:
    """Return the means over the items of all workers, from this worker's means."""
    sums = [value * items if items else 0.0 for value in results.values()]
    total, *sums = processes.add_up(np.array([items, *sums], np.float64)).tolist()
    return {name: s / total if total else float("nan")
            for name, s in zip(results, sums, strict=True)}
