"""Datasets: anything with a length whose items are fetched by number."""

from __future__ import annotations

import math
import warnings
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import Any

import numpy as np

from ..errors import ShapeError
from .chance import source
from .collate import host, take


class Dataset:
    """What a DataLoader reads: `len(dataset)`, and `dataset[i]` for i from 0 to len - 1.

    Inheriting is a convenience, any object with these two will do. One that can fetch many items
    at once declares `batch(indices)`: it is called with an int64 array of places, and returns the
    items in that order as collated NumPy arrays.

    >>> class Squares(Dataset):
    ...     def __len__(self): return 5
    ...     def __getitem__(self, i): return i, i * i
    >>> Squares()[3]
    (3, 9)
    """

    def __len__(self) -> int:
        """Return the number of items."""
        raise NotImplementedError(f"{type(self).__name__} must define __len__(self)")

    def __getitem__(self, index: int) -> Any:
        """Return one item."""
        raise NotImplementedError(f"{type(self).__name__} must define __getitem__(self, index)")

    def __add__(self, other: Any) -> ConcatDataset:
        return ConcatDataset([self, other])


class TensorDataset(Dataset):
    """Tensors or arrays of equal first length; item i is the tuple of their i-th rows.

    Raises ShapeError where the first lengths differ or one has no dimension.
    Source: torch.utils.data.TensorDataset.

    >>> TensorDataset(np.array([[1., 2.], [3., 4.]]), np.array([7, 8]))[1]
    (array([3., 4.]), np.int64(8))
    """

    def __init__(self, *tensors: Any) -> None:
        shapes = [tuple(t.shape) for t in tensors]
        if not tensors or () in shapes or len({shape[0] for shape in shapes}) != 1:
            raise ShapeError(
                f"TensorDataset: got {len(tensors)} tensors of shapes {shapes}; at least one is "
                "needed, and all must have the same length along the first dimension"
            )
        self.tensors = tensors
        self._arrays = [host(t) for t in tensors]

    def __len__(self) -> int:
        return len(self._arrays[0])

    def __getitem__(self, index: int) -> tuple:
        return tuple(tensor[index] for tensor in self.tensors)

    def batch(self, indices: np.ndarray) -> list[np.ndarray]:
        """Return the rows at `indices` of every tensor, (len(indices), ...), on the host."""
        return [array[indices] for array in self._arrays]


class Subset(Dataset):
    """The items of a dataset at the given places, in the given order.

    Source: torch.utils.data.Subset.

    >>> list(Subset(["a", "b", "c"], [2, 0]))
    ['c', 'a']
    """

    def __init__(self, dataset: Any, indices: Sequence[int]) -> None:
        self.dataset = dataset
        self.indices = indices
        self._places = np.asarray(indices, dtype=np.int64)

    def __len__(self) -> int:
        return len(self._places)

    def __getitem__(self, index: int) -> Any:
        return self.dataset[int(self._places[index])]

    def batch(self, indices: np.ndarray) -> Any:
        """Return the items at `indices` of this subset as one batch of host arrays."""
        return take(self.dataset, self._places[indices])


class ConcatDataset(Dataset):
    """Several datasets, one after the other.

    Raises ValueError where there is none; IndexError for a place beyond either end.
    Source: torch.utils.data.ConcatDataset.

    >>> list(ConcatDataset([[1, 2], [3]]))
    [1, 2, 3]
    """

    def __init__(self, datasets: Iterable[Any]) -> None:
        self.datasets = list(datasets)
        if not self.datasets:
            raise ValueError("ConcatDataset: got no datasets; give at least one")
        self.cumulative_sizes = list(accumulate(len(d) for d in self.datasets))

    def __len__(self) -> int:
        return self.cumulative_sizes[-1]

    def __getitem__(self, index: int) -> Any:
        if not -len(self) <= index < len(self):
            raise IndexError(f"ConcatDataset: there is no item {index} among {len(self)}")
        index %= len(self)
        which = bisect_right(self.cumulative_sizes, index)
        start = self.cumulative_sizes[which - 1] if which else 0
        return self.datasets[which][index - start]


def random_split(
    dataset: Any,
    lengths: Sequence[int | float],
    generator: np.random.Generator | None = None,
) -> list[Subset]:
    """Split a dataset at random into parts that do not overlap.

    lengths: item counts that add up to len(dataset), or fractions in [0, 1] that add up to 1:
        each part gets the whole items of its share, those left over go round one by one.
    generator: source of the shuffle; the framework's own (`manual_seed`) if not given.
    Returns one Subset a length. Warns where a fraction comes to no item.
    Raises ValueError where the lengths do not fit. Source: torch.utils.data.random_split.

    >>> [len(part) for part in random_split(range(10), [0.75, 0.25])]
    [8, 2]
    """
    counts = _counts(len(dataset), lengths)
    order = source("random_split", generator).permutation(len(dataset)).tolist()
    ends = accumulate(counts)
    return [Subset(dataset, order[end - n : end]) for n, end in zip(counts, ends, strict=True)]


def _counts(total: int, lengths: Sequence[int | float]) -> list[int]:
    """Turn fractions into item counts, and check that the counts add up to the total."""
    counts = list(lengths)
    if math.isclose(sum(counts), 1) and sum(counts) <= 1:
        if outside := [f for f in counts if not 0 <= f <= 1]:
            raise ValueError(f"random_split: the fraction {outside[0]} is not between 0 and 1")
        shares = [math.floor(total * f) for f in counts]
        left_over = total - sum(shares)
        counts = [n + (place < left_over) for place, n in enumerate(shares)]
        if 0 in counts:
            empty = f"random_split: part {counts.index(0)} of {list(lengths)} is empty"
            warnings.warn(empty, stacklevel=3)
    if sum(counts) != total or any(c != int(c) or c < 0 for c in counts):
        raise ValueError(
            f"random_split: the lengths {list(lengths)} add up to {sum(lengths)}, the dataset has "
            f"{total} items; give counts that add up to {total}, or fractions that add up to 1"
        )
    return [int(c) for c in counts]
