"""The loader: a dataset in batches, in an order that can be repeated and taken up again.

All chance of one pass over the data (an epoch) follows from one number, the epoch's seed: the order
of the items from stream 0 of it, the augmentation of batch b from stream b + 1. So the state of a
running loader is that number and the place reached; nothing has to be replayed on resuming.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..slots import Slot
from .chance import source
from .collate import take, to_tensors


@dataclass
class _Epoch:
    """Where one pass over the data stands."""

    seed: int
    next_batch: int = 0

    def stream(self, number: int) -> np.random.Generator:
        return np.random.default_rng((self.seed, number))


@Slot
def cut(order: np.ndarray, size: int, drop_last: bool) -> list[np.ndarray]:
    """Cut an order of items into batches; the last one has fewer, or is left out."""
    end = len(order) - len(order) % size if drop_last else len(order)
    return [order[start : start + size] for start in range(0, end, size)]


class DataLoader:
    """Hand out the items of a dataset in batches of Tensors.

    dataset: has `len()` and items by number; `batch(indices)`, where declared, fetches faster.
    batch_size: items a batch, at least 1; the last batch has fewer unless `drop_last`.
    shuffle: a new random order each epoch.
    collate_fn: makes a batch of a list of items; without it arrays are stacked (`collate`).
    generator, seed: where the seed of each epoch is drawn from: a NumPy generator, or a new one
        made from an integer; if neither is given, the framework's own (`manual_seed`).
    batch_transform: called as f(batch, generator) on the host's NumPy arrays of each batch, with a
        generator of its own: the place for augmentation.
    Yields what collation gives, every array in it a Tensor of the current array library.
    Raises ValueError or TypeError for arguments that make no sense.
    Source: torch.utils.data.DataLoader, whose names and defaults these are.

    >>> for batch in DataLoader(range(5), batch_size=2):
    ...     print(batch.data)
    [0 1]
    [2 3]
    [4]
    """

    def __init__(
        self,
        dataset: Any,
        batch_size: int = 1,
        shuffle: bool = False,
        *,
        drop_last: bool = False,
        collate_fn: Callable[[list], Any] | None = None,
        generator: np.random.Generator | None = None,
        seed: int | None = None,
        batch_transform: Callable[[Any, np.random.Generator], Any] | None = None,
    ) -> None:
        _check(dataset, batch_size, shuffle, generator, seed)
        self.dataset = dataset
        self.batch_size = int(batch_size)
        self.shuffle = bool(shuffle)
        self.drop_last = bool(drop_last)
        self.collate_fn = collate_fn
        self.generator = generator if seed is None else np.random.default_rng(seed)
        self.batch_transform = batch_transform
        self._epoch: _Epoch | None = None
        self._resuming = False

    def __len__(self) -> int:
        """Return the number of batches in an epoch."""
        batches = len(self.dataset) / self.batch_size
        return math.floor(batches) if self.drop_last else math.ceil(batches)

    def __iter__(self) -> Iterator[Any]:
        """Begin an epoch, or go on with the one that `load_state_dict` brought back."""
        if self._epoch is None or not self._resuming:
            self._epoch = _Epoch(self._draw())
        self._resuming = False
        return self._batches(self._epoch)

    def _batches(self, epoch: _Epoch) -> Iterator[Any]:
        order = np.arange(len(self.dataset))
        if self.shuffle:
            order = epoch.stream(0).permutation(order)
        try:
            batches = list(cut(order, self.batch_size, self.drop_last))
            for number in range(epoch.next_batch, len(batches)):
                batch = self._fetch(batches[number], epoch, number)
                epoch.next_batch = number + 1
                yield batch
        finally:  # the epoch is over when its loop ends, and also when the loop is left early
            if self._epoch is epoch:
                self._epoch = None

    def _fetch(self, places: np.ndarray, epoch: _Epoch, number: int) -> Any:
        if self.collate_fn is None:
            batch = take(self.dataset, places)
        else:
            batch = self.collate_fn([self.dataset[int(i)] for i in places])
        if self.batch_transform is not None:
            batch = self.batch_transform(batch, epoch.stream(number + 1))
        return to_tensors(batch)

    def _source(self) -> np.random.Generator:
        return source("DataLoader", self.generator)

    def _draw(self) -> int:
        # A loader without chance leaves the generator alone: validating changes no random number.
        chance = self.shuffle or self.batch_transform is not None
        return int(self._source().integers(2**63)) if chance else 0

    def state_dict(self) -> dict[str, Any]:
        """Return all that the coming batches depend on, as plain numbers and strings.

        Taken inside a loop over the loader, it points at the batch after the one in hand; taken
        outside, at the beginning of the next epoch.

        >>> loader = DataLoader(range(6), 2, shuffle=True, seed=1)
        >>> for batch in loader:
        ...     state = loader.state_dict()
        ...     break
        >>> again = DataLoader(range(6), 2, shuffle=True, seed=99)
        >>> again.load_state_dict(state)
        >>> len(list(again))  # what was left of the first epoch
        2
        """
        return {
            "items": len(self.dataset),
            "batch_size": self.batch_size,
            "generator": self._source().bit_generator.state,
            "epoch_seed": None if self._epoch is None else self._epoch.seed,
            "next_batch": 0 if self._epoch is None else self._epoch.next_batch,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on exactly where `state_dict` was taken: same batches, same augmentations.

        The state of the generator is set too, also where it is the framework's own.
        Raises ValueError for a state of a loader with other sizes or with other entries.
        """
        own = self.state_dict()
        if set(state) != set(own):
            raise ValueError(
                f"load_state_dict: a loader's state has the entries {sorted(own)}, "
                f"this one has {sorted(state)}"
            )
        for size in ("items", "batch_size"):
            if state[size] != own[size]:
                raise ValueError(
                    f"load_state_dict: the state was taken at {size}={state[size]}, this loader "
                    f"has {size}={own[size]}; make it with the same dataset and batch size"
                )
        self._source().bit_generator.state = state["generator"]
        seed = state["epoch_seed"]
        self._resuming = seed is not None
        self._epoch = None if seed is None else _Epoch(seed, state["next_batch"])


def _check(dataset: Any, batch_size: Any, shuffle: Any, generator: Any, seed: Any) -> None:
    whole = isinstance(batch_size, int | np.integer) and not isinstance(batch_size, bool)
    if not whole or batch_size < 1:
        raise ValueError(f"DataLoader: batch_size must be a positive integer, got {batch_size!r}")
    if not hasattr(dataset, "__len__") or not hasattr(dataset, "__getitem__"):
        raise TypeError(
            f"DataLoader: a {type(dataset).__name__} cannot be read by number; "
            "a dataset has __len__ and __getitem__"
        )
    if shuffle and len(dataset) == 0:
        raise ValueError("DataLoader: the dataset is empty, there is nothing to shuffle")
    if generator is not None and seed is not None:
        raise ValueError("DataLoader: give either generator or seed, not both")
    source("DataLoader", generator)
