"""From single items to one batch: arrays are stacked, tuples and dicts are taken apart.

Batches stay NumPy arrays on the host until the loader hands them out as Tensors, so that
augmentations are plain NumPy and one transfer moves a whole batch to a GPU.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from .. import xp
from ..errors import ShapeError
from ..tensor import Tensor

REPAIR = "give every item the same form, or pass collate_fn= to DataLoader"


def collate(items: Sequence[Any], names: Sequence[str] | None = None) -> Any:
    """Join a list of items into one batch with a new first dimension.

    Arrays, Tensors and numbers become one NumPy array, (batch, *shape of an item), integers int64
    and Python floats float64 as in torch; tuples and lists become a list of batches, dicts a dict
    of batches, named tuples stay named; text stays a list.
    names: what to call the items in a message (items[0], items[1], ... if not given).
    Raises ShapeError for items of different shapes or lengths, TypeError for other kinds.
    Source: torch.utils.data.default_collate.

    >>> collate([(1, 2.0), (3, 4.0)])
    [array([1, 3]), array([2., 4.])]
    """
    names = names or [f"items[{i}]" for i in range(len(items))]
    first = items[0]
    if isinstance(first, str | bytes):
        return list(items)
    if isinstance(first, Tensor | np.ndarray | np.generic | int | float):
        return _stack(items, names)
    if isinstance(first, Mapping):
        _agree(items, names, lambda item: isinstance(item, Mapping) and set(item) == set(first))
        return {key: _column(items, names, key) for key in first}
    if isinstance(first, Sequence):
        _agree(items, names, lambda item: isinstance(item, Sequence) and len(item) == len(first))
        columns = [_column(items, names, place) for place in range(len(first))]
        return type(first)(*columns) if hasattr(first, "_fields") else columns
    raise TypeError(
        f"DataLoader: {names[0]} is a {type(first).__name__}; a batch is made of arrays, tensors, "
        f"numbers, text, and tuples, lists or dicts of these: {REPAIR}"
    )


def take(dataset: Any, indices: np.ndarray) -> Any:
    """Return the items at `indices` as one batch of host arrays.

    A dataset with a method `batch(indices)` is asked for the whole batch in one go; of any other
    the items are fetched one by one and collated.

    >>> take([10, 20, 30], np.array([2, 0]))
    array([30, 10])
    """
    if hasattr(dataset, "batch"):
        return dataset.batch(indices)
    places = [int(i) for i in indices]
    return collate([dataset[i] for i in places], [f"dataset[{i}]" for i in places])


def leaves(function: Callable[[Any], Any], batch: Any, kind: type = np.ndarray) -> Any:
    """Apply a function to every NumPy array inside a nested batch; leave the rest as it is.

    kind: another class than arrays, to apply it to.

    >>> leaves(np.sum, [np.ones(3), {"name": ["a"]}])
    [np.float64(3.0), {'name': ['a']}]
    """
    if isinstance(batch, kind):
        return function(batch)
    if isinstance(batch, Mapping):
        return {key: leaves(function, part, kind) for key, part in batch.items()}
    if isinstance(batch, list | tuple):
        parts = [leaves(function, part, kind) for part in batch]
        return type(batch)(*parts) if hasattr(batch, "_fields") else type(batch)(parts)
    return batch


def to_tensors(batch: Any) -> Any:
    """Turn every array of a batch into a Tensor of the current array library.

    >>> to_tensors([np.zeros((2, 3))])[0].shape
    (2, 3)
    """
    return leaves(lambda a: Tensor(xp.array(a)), batch)


def host(value: Any) -> np.ndarray:
    """Return a Tensor, array or nested list of numbers as a NumPy array.

    >>> host([1, 2])
    array([1, 2])
    """
    return xp.to_numpy(value.data) if isinstance(value, Tensor) else np.asarray(value)


def _stack(items: Sequence[Any], names: Sequence[str]) -> np.ndarray:
    arrays = [_number(item, name) for item, name in zip(items, names, strict=True)]
    for array, name in zip(arrays, names, strict=True):
        if array.shape != arrays[0].shape:
            raise ShapeError(
                f"DataLoader: {name} has shape {array.shape}, but {names[0]} has shape "
                f"{arrays[0].shape}: {REPAIR}"
            )
    return np.stack(arrays)


def _number(item: Any, name: str) -> np.ndarray:
    array = host(item)
    if array.dtype.kind not in "biufc":
        raise TypeError(f"DataLoader: {name} is {item!r:.60}, where numbers are expected: {REPAIR}")
    return array


def _column(items: Sequence[Any], names: Sequence[str], key: Any) -> Any:
    return collate([item[key] for item in items], [f"{name}[{key!r}]" for name in names])


def _agree(items: Sequence[Any], names: Sequence[str], alike: Callable[[Any], bool]) -> None:
    for item, name in zip(items, names, strict=True):
        if not alike(item):
            raise ShapeError(
                f"DataLoader: {name} is {item!r:.60}, which has another form than {names[0]}, "
                f"{items[0]!r:.60}: {REPAIR}"
            )
