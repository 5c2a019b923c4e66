"""Loading a dictionary of arrays into tensors by name: everything that is wrong, at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from .. import xp
from ..tensor import Tensor


class IncompatibleKeys(NamedTuple):
    """The names that a loaded dictionary lacked, and those that it had too many."""

    missing_keys: list[str]
    unexpected_keys: list[str]

    def __repr__(self) -> str:
        if not self.missing_keys and not self.unexpected_keys:
            return "<All keys matched successfully>"
        return f"missing_keys={self.missing_keys}, unexpected_keys={self.unexpected_keys}"


def load(
    owner: str, own: Mapping[str, Tensor], given: Mapping[str, Any], strict: bool,
    optional: set[str],
) -> IncompatibleKeys:
    """Copy the given values into the tensors of the same name, in the tensors' own dtypes.

    optional: names that may be missing. Raises RuntimeError with the whole list of what is wrong,
    before anything is copied.
    """
    if not isinstance(given, Mapping):
        raise TypeError(f"load_state_dict: expected a dictionary, got {type(given).__name__}")
    missing = [name for name in own if name not in given and name not in optional]
    unexpected = [name for name in given if name not in own]
    common = [name for name in own if name in given]
    problems = [wrong for name in common if (wrong := _misfit(name, own[name], given[name]))]
    if strict:
        problems += [f"missing: {name}" for name in missing]
        problems += [f"unexpected: {name}" for name in unexpected]
    if problems:
        lines = [f"load_state_dict: cannot load into {owner}:", *problems]
        raise RuntimeError("\n    ".join(lines))
    for name in common:
        value = given[name]
        value = value.data if isinstance(value, Tensor) else value
        own[name].data = xp.astype(xp.array(value), own[name].data.dtype)
    return IncompatibleKeys(missing, unexpected)


def _misfit(name: str, tensor: Tensor, value: Any) -> str | None:
    if not hasattr(value, "shape") or not hasattr(value, "dtype"):
        return f"not an array: {name} is {type(value).__name__}"
    if tuple(value.shape) != tensor.shape:
        return f"shape differs: {name} is {tuple(value.shape)}, the model has {tensor.shape}"
    return None
