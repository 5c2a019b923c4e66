"""Weights in files: safetensors, PyTorch's .pth and NumPy's .npz in, the first two out.

A file holds arrays by name, the `state_dict` of a model. What reading changes is only this:
float16 and bfloat16 become float32, without loss. Complex numbers, 8-bit floats and whatever is no
array are refused. No file is trusted: a pickle that would run code is not opened.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from .. import xp
from ..nn.module import Module
from ..nn.state import IncompatibleKeys
from ..tensor import Tensor
from ..train.files import write_whole
from .formats import READERS, WRITERS

KINDS = ("float64", "float32", "int64", "int32", "int16", "int8", "uint8", "bool")
DATA_PARALLEL = "module."  # torch's DataParallel puts it before every name


def load(path: str | Path, key: str | None = None) -> dict[str, Tensor]:
    """Read the tensors of a .safetensors, .pth, .pt or .npz file by name.

    key: which entry of a .pth file to take, where it holds a dictionary of several things.
    Half precision becomes float32, every other dtype stays. Damage is noticed where the format
    allows it: .npz and .pth hold checksums; safetensors and the .pth of old torch only lengths.
    Raises FileNotFoundError; ModuleNotFoundError for .pth without torch; ValueError for another
    kind of file, a damaged one, one that would run code, and for what is no array of real numbers.
    """
    path = Path(path)
    read = _by_suffix("load", READERS, path)
    if not path.is_file():
        what = "is a folder" if path.is_dir() else "does not exist"
        raise FileNotFoundError(f"load: {path} {what}; expected a file of weights")
    if path.stat().st_size == 0:
        raise ValueError(f"load: {path} is empty (0 bytes); copy or download it again")
    found = _entry(path, read(path), key)
    return {name: Tensor(array) for name, array in _arrays(f"load: {path}", found).items()}


def save(state: Mapping[str, Any] | Module, path: str | Path) -> None:
    """Write a module's `state_dict`, or any dictionary of tensors, as .safetensors, .pth or .pt.

    The file appears whole or not at all; folders are made. Tensors may be torch's. Raises
    ModuleNotFoundError for .pth without torch, ValueError for another suffix or for what is no
    array, TypeError for what is no dictionary.
    """
    path = Path(path)
    write = _by_suffix("save", WRITERS, path)
    state = state.state_dict() if isinstance(state, Module) else state
    # In order of rows: safetensors writes the memory as it lies, transposed views included.
    arrays = {name: np.array(a, order="C") for name, a in _arrays("save", state).items()}
    write_whole(path, write(arrays))


def load_into(
    module: Module, source: str | Path | Mapping[str, Any], strict: bool = True, *,
    prefix: str = "", key: str | None = None,
) -> IncompatibleKeys:
    """Give a module the weights of a file, or of a `state_dict` of minilearn or torch.

    Values are cast to the dtypes of the module's own tensors. prefix: take only names that begin
    with it, without it: `prefix="features."` fills `vgg.features` from the weights of the whole
    VGG. Names that all begin with "module.", as DataParallel writes them, are taken without it.
    key: see `load`. Returns the missing and the unexpected names. Raises RuntimeError that lists
    all of them (if strict) and all shapes that differ; then nothing has been loaded.
    """
    place = "load_into"
    if isinstance(source, str | Path):
        place = f"load_into: {source}"
        state: dict[str, Any] = load(source, key)
    elif key is not None:
        raise TypeError(f"load_into: key={key!r} chooses within a file; hand over source[{key!r}]")
    else:
        state = _arrays(place, source)
    state = _without_prefix(place, module, state, prefix)
    try:
        return module.load_state_dict(state, strict)
    except RuntimeError as error:
        raise RuntimeError(f"{place}: {error}") from None


def _by_suffix(function: str, table: Mapping[str, Any], path: Path) -> Callable:
    suffix = path.suffix.lower()
    if suffix not in table:
        raise ValueError(f"{function}: {path} ends in {suffix!r}; expected one of "
                         f"{', '.join(table)}")
    return table[suffix]


def _without_prefix(place: str, module: Module, state: dict[str, Any], prefix: str) -> dict:
    own = module.state_dict()
    if not prefix and state and not any(name.startswith(DATA_PARALLEL) for name in own) and all(
            name.startswith(DATA_PARALLEL) for name in state):
        prefix = DATA_PARALLEL
    taken = {n.removeprefix(prefix): value for n, value in state.items() if n.startswith(prefix)}
    if prefix and not taken:
        raise ValueError(f"{place}: no name begins with {prefix!r}; the names are "
                         f"{_some(list(state))}")
    return taken


# ---------------------------------------------------------------- what is an array


def _arrays(place: str, found: Any) -> dict[str, np.ndarray]:
    """Return NumPy arrays by name, or raise with the list of all entries that are none."""
    if not isinstance(found, Mapping):
        raise TypeError(f"{place}: expected arrays by name, got {type(found).__name__}")
    arrays = {name: _host(value) for name, value in found.items()}
    problems = [f"{name!r} is {wrong}" for name, a in arrays.items() if (wrong := _misfit(name, a))]
    if problems:
        inner = [name for name, value in found.items() if isinstance(value, Mapping)]
        hint = f"\n    To repair it: choose one entry, as in key={inner[0]!r}." if inner else ""
        raise ValueError("\n    ".join([f"{place}: not arrays of real numbers by name:",
                                        *problems]) + hint)
    return arrays


def _host(value: Any) -> Any:
    """Return an array of any library as NumPy's, half precision as float32; the rest as it is."""
    if isinstance(value, Tensor):
        value = xp.to_numpy(value.data)
    elif hasattr(value, "detach"):  # a torch tensor
        half = str(value.dtype) in ("torch.float16", "torch.bfloat16")
        try:
            value = (value.float() if half else value).numpy(force=True)
        except (TypeError, RuntimeError):  # sparse, quantised, 8-bit: there is no such array
            return value
    if not isinstance(value, np.ndarray):
        return value
    native = value.astype(value.dtype.newbyteorder("="), copy=False)
    return native.astype("float32") if native.dtype == np.float16 else native


def _misfit(name: Any, value: Any) -> str | None:
    if not isinstance(name, str):
        return f"a name of type {type(name).__name__}"
    if isinstance(value, np.ndarray):
        return None if value.dtype.name in KINDS else f"an array of {value.dtype}"
    if isinstance(value, Mapping):
        return f"a dictionary of {_some(list(value))}"
    kind = f" of {value.dtype}" if hasattr(value, "dtype") else ""
    return f"{type(value).__name__}{kind}"


def _some(names: list) -> str:
    """Write a list, cut after a few entries."""
    return ", ".join(map(str, names[:4])) + (f", ... ({len(names)})" if len(names) > 4 else "")


def _entry(path: Path, found: Any, key: str | None) -> Mapping:
    """Return the dictionary that a file holds, or the one under `key` in it."""
    if key is not None and path.suffix.lower() not in (".pth", ".pt"):
        raise ValueError(f"load: {path} has no entries to choose from, only .pth files do; "
                         f"leave out key={key!r}")
    if isinstance(found, Mapping) and key is not None:
        if key not in found:
            raise ValueError(f"load: {path} has no entry {key!r}; it holds {_some(list(found))}")
        found = found[key]
    if not isinstance(found, Mapping):
        raise ValueError(f"load: {path} holds one {type(found).__name__}, not arrays by name")
    return found
