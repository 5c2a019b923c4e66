"""Weights in files: safetensors, PyTorch's .pth and NumPy's .npz in, the first two out.

A file holds arrays by name, the `state_dict` of a model. What reading changes is only this:
float16 and bfloat16 become float32, without loss. Complex numbers, 8-bit floats and whatever is no
array are refused. No file is trusted: a pickle that would run code is not opened.
"""

from __future__ import annotations

import importlib
import io
import pickletools
import re
import zipfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import numpy as np
import safetensors
from safetensors.numpy import save as safetensors_bytes

from . import xp
from .nn.module import Module
from .nn.state import IncompatibleKeys
from .tensor import Tensor
from .train.files import write_whole

KINDS = ("float64", "float32", "int64", "int32", "int16", "int8", "uint8", "bool")
DATA_PARALLEL = "module."  # torch's DataParallel puts it before every name


def load(path: str | Path, key: str | None = None) -> dict[str, Tensor]:
    """Read the tensors of a .safetensors, .pth, .pt or .npz file by name.

    key: which entry of a .pth file to take, where it holds a dictionary of several things.
    Half precision becomes float32, every other dtype stays. Damage is noticed where the format
    allows it: zip archives (.pth, .npz) hold checksums, safetensors files only their lengths.
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
    found = read(path)
    if key is not None:
        found = _entry(path, found, key)
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
    named = isinstance(source, str | Path)
    place = f"load_into: {source}" if named else "load_into"
    state = load(source, key) if named else _arrays(place, source)
    state = _without_prefix(place, module, state, prefix)
    try:
        return module.load_state_dict(state, strict)
    except RuntimeError as error:
        raise RuntimeError(f"{place}: {error}") from None


def _by_suffix(function: str, table: dict[str, Callable], path: Path) -> Callable:
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


def _entry(path: Path, found: Any, key: str) -> Any:
    if path.suffix.lower() not in (".pth", ".pt"):
        raise ValueError(f"load: only .pth files have entries to choose from; {path} has none")
    if not isinstance(found, Mapping) or key not in found:
        names = _some(list(found)) if isinstance(found, Mapping) else type(found).__name__
        raise ValueError(f"load: {path} has no entry {key!r}; it holds {names}")
    return found[key]


# ---------------------------------------------------------------- safetensors

SAFETENSORS = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2", "I64": "<i8", "I32": "<i4",
               "I16": "<i2", "I8": "i1", "U8": "u1", "BOOL": "?"}


def _read_safetensors(path: Path) -> dict[str, Any]:
    try:
        entries = safetensors.deserialize(path.read_bytes())
    except safetensors.SafetensorError as error:
        raise _damaged(path, "a safetensors file", error) from error
    unknown = {name: e["dtype"] for name, e in entries if e["dtype"] not in SAFETENSORS}
    if unknown:
        listed = ", ".join(f"{name!r} ({kind})" for name, kind in unknown.items())
        raise ValueError(f"load: {path} holds numbers of a kind that is not supported: {listed}")
    return {name: _decoded(**entry) for name, entry in entries}


def _decoded(shape: list[int], dtype: str, data: bytes) -> np.ndarray:
    array = np.frombuffer(data, SAFETENSORS[dtype]).reshape(shape)
    if dtype == "BF16":  # the upper half of a float32
        return (array.astype("<u4") << 16).view("<f4")
    return array


# ---------------------------------------------------------------- NumPy


def _read_npz(path: Path) -> dict[str, Any]:
    try:
        _check_archive(path)
        with np.load(path, allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
    except (zipfile.BadZipFile, zlib.error, ValueError, EOFError, OSError) as error:
        if "allow_pickle" in str(error):
            raise ValueError(f"load: {path} holds Python objects, and reading those could run "
                             "any code: refused. Save plain arrays only.") from error
        raise _damaged(path, "an .npz archive of arrays", error) from error


def _check_archive(path: Path) -> None:
    """Compare every entry of a zip archive with its checksum, which torch leaves out."""
    with zipfile.ZipFile(path) as archive:
        if (wrong := archive.testzip()) is not None:
            raise zipfile.BadZipFile(f"the checksum of {wrong} does not fit")


# ---------------------------------------------------------------- PyTorch


def _torch(function: str) -> Any:
    try:
        return importlib.import_module("torch")
    except ImportError as error:
        raise ModuleNotFoundError(
            f"{function}: .pth files need PyTorch, which is not installed: pip install "
            "'minilearn[learn]', or use .safetensors", name="torch") from error


def _read_torch(path: Path) -> Any:
    torch = _torch("load")
    try:
        with open(path, "rb") as file:
            zipped = file.read(4) == b"PK\3\4"
        if zipped:
            _check_archive(path)
        return torch.load(path, map_location="cpu", weights_only=True)
    except UnpicklingError as error:
        raise _refused(path, error) from error
    # A damaged file can make the reader stumble anywhere.
    except Exception as error:
        raise _damaged(path, "a file of torch.save", error) from error


def _refused(path: Path, error: Exception) -> ValueError:
    """Say what a pickle would have imported, to be called; it was not."""
    named = re.search(r"(?:GLOBAL|class|function) ([\w.]+)", str(error))
    calls = named.group(1) if named else ", ".join(_imports(path))
    if not calls:
        return _damaged(path, "a file of torch.save", str(error).splitlines()[-1])
    return ValueError(f"load: {path} is a pickle that would run code: it imports {calls}. Refused, "
                      "nothing of it was run. Where you trust it, load it in torch and save only "
                      "the weights: torch.save(model.state_dict(), path).")


def _imports(path: Path) -> list[str]:
    """List what a pickle would import, by reading its instructions without following them."""
    found, texts = [], [""]
    try:
        for instruction, argument, _ in pickletools.genops(path.read_bytes()):
            if instruction.name in ("GLOBAL", "INST"):
                found.append(argument.replace(" ", "."))
            elif instruction.name == "STACK_GLOBAL":
                found.append(".".join(texts[-2:]))
            elif isinstance(argument, str):
                texts.append(argument)
    except Exception:  # not a pickle to its end: what was found so far is told
        pass
    return found


def _damaged(path: Path, kind: str, reason: Any) -> ValueError:
    why = str(reason).partition("\n")[0] or type(reason).__name__
    return ValueError(f"load: {path} is not {kind}, or is damaged ({why}). To repair it: copy or "
                      "download it again.")


def _torch_bytes(arrays: dict[str, np.ndarray]) -> bytes:
    torch = _torch("save")
    buffer = io.BytesIO()
    torch.save({name: torch.from_numpy(array) for name, array in arrays.items()}, buffer)
    return buffer.getvalue()


READERS = {".safetensors": _read_safetensors, ".pth": _read_torch, ".pt": _read_torch,
           ".npz": _read_npz}
WRITERS = {".safetensors": safetensors_bytes, ".pth": _torch_bytes, ".pt": _torch_bytes}
