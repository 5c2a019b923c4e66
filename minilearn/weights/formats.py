"""The formats of weight files: each reader turns a file into what it holds, each writer into bytes.

A reader refuses a damaged file, and one that would run code, with a ValueError that says which.
"""

from __future__ import annotations

import importlib
import io
import pickletools
import re
import warnings
import zipfile
import zlib
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import numpy as np
import safetensors
from safetensors.numpy import save as safetensors_bytes

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
    array = np.frombuffer(data, SAFETENSORS[dtype])
    if dtype == "BF16":  # the upper half of a float32
        array = (array.astype("<u4") << 16).view("<f4")
    return array.reshape(shape)


# ---------------------------------------------------------------- NumPy


def _read_npz(path: Path) -> dict[str, Any]:
    try:
        _check_archive(path)
        with np.load(path, allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
    except (zipfile.BadZipFile, zlib.error, ValueError, EOFError) as error:
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


EXPECTED = ("torch.", "collections.OrderedDict")  # what a pickle of weights imports


def _torch(function: str) -> Any:
    try:
        return importlib.import_module("torch")
    except ImportError as error:
        raise ModuleNotFoundError(
            f"{function}: .pth files need PyTorch, which is not installed: pip install "
            "'minilearn[learn]', or use .safetensors", name="torch") from error


def _read_torch(path: Path) -> Any:
    torch = _torch("load")
    with open(path, "rb") as file:
        zipped = file.read(2) == b"PK"  # as torch has written them since version 1.6
    try:
        if zipped:
            _check_archive(path)
        with warnings.catch_warnings():  # torch warns of some files before it refuses them
            warnings.simplefilter("ignore")
            return torch.load(path, map_location="cpu", weights_only=True)
    except UnpicklingError as error:
        raise _refused(path, error) from error
    # A damaged file can make the reader stumble anywhere.
    except Exception as error:
        raise _damaged(path, "a file of torch.save", error) from error


def _refused(path: Path, error: Exception) -> ValueError:
    """Say what a pickle would have imported, to be called; it was not."""
    named = re.search(r"(?:GLOBAL|class|function) ([\w.]+)", str(error))
    calls = [named.group(1)] if named else _imports(path)
    # A name has a line of its own, unless the file breaks off in the middle of it.
    whole = not named or f"\n{calls[0].rpartition('.')[2]}\n".encode() in path.read_bytes()
    if not calls or not whole:
        return _damaged(path, "a file of torch.save", "it is no pickle of weights")
    return ValueError(f"load: {path} is a pickle that would run code, it imports "
                      f"{', '.join(calls)}: refused, nothing of it was run. Where you trust it, "
                      "load it in torch and save only the weights: "
                      "torch.save(model.state_dict(), path)")


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
    return [name for name in found if not name.startswith(EXPECTED)]


def _torch_bytes(arrays: dict[str, np.ndarray]) -> bytes:
    torch = _torch("save")
    buffer = io.BytesIO()
    torch.save({name: torch.from_numpy(array) for name, array in arrays.items()}, buffer)
    return buffer.getvalue()


def _damaged(path: Path, kind: str, reason: Any) -> ValueError:
    why = str(reason).partition("\n")[0] or type(reason).__name__
    return ValueError(f"load: {path} is not {kind}, or is damaged ({why}). To repair it: copy or "
                      "download it again.")


READERS = {".safetensors": _read_safetensors, ".pth": _read_torch, ".pt": _read_torch,
           ".npz": _read_npz}
WRITERS = {".safetensors": safetensors_bytes, ".pth": _torch_bytes, ".pt": _torch_bytes}
