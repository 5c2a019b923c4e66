"""Checkpoints: all that a run needs to go on as if it had never been interrupted.

One safetensors file: the arrays by name (`model.…`, `optimizer.…`), everything else (counters,
history, the state of the random generators) as JSON in its metadata. Written whole or not at all.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from .. import xp
from ..tensor import Tensor
from .callbacks import Callback
from .files import write_whole
from .learner import Learner


class Checkpoint(Callback):
    """Save the learner to `path` after every epoch."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)

    def after_epoch(self, learn: Learner) -> None:
        save_checkpoint(learn, self.path)


def save_checkpoint(learn: Learner, path: str | Path) -> None:
    """Write the model, the optimizer, the generators, the counters and the history to one file."""
    state = {
        "model": learn.model.state_dict(),
        "optimizer": learn.optimizer.state_dict(),
        "loader": learn.train.state_dict() if hasattr(learn.train, "state_dict") else None,
        "generator": xp.generator().bit_generator.state,
        "epoch": learn.epoch,
        "iteration": learn.iteration,
        "callbacks": [callback.state_dict() for callback in learn.callbacks],
    }
    arrays: dict[str, Any] = {}
    plain = _split(state, "", arrays)
    write_whole(path, save(arrays, metadata={"minilearn": json.dumps(plain)}))


def load_checkpoint(learn: Learner, path: str | Path) -> None:
    """Bring a learner back to where `save_checkpoint` left it.

    Raises ValueError when the file is damaged, is not a checkpoint, or is of another model.
    """
    state = read_checkpoint(path)
    learn.model.load_state_dict(state["model"])
    learn.optimizer.load_state_dict(state["optimizer"])
    if len(state["callbacks"]) != len(learn.callbacks):
        raise ValueError(f"load_checkpoint: {path} has the state of {len(state['callbacks'])} "
                         f"callbacks, this learner has {len(learn.callbacks)}; use the same ones")
    for callback, kept in zip(learn.callbacks, state["callbacks"], strict=True):
        callback.load_state_dict(kept)
    xp.generator().bit_generator.state = state["generator"]
    if state["loader"] is not None:
        learn.train.load_state_dict(state["loader"])
    learn.epoch, learn.iteration = state["epoch"], state["iteration"]


def read_checkpoint(path: str | Path) -> dict[str, Any]:
    """Return the contents of a checkpoint, its arrays as Tensors."""
    try:
        with safe_open(str(path), framework="numpy") as file:
            plain = json.loads((file.metadata() or {})["minilearn"])
            names = file.keys()
            return _join(plain, {name: file.get_tensor(name) for name in names})
    except FileNotFoundError:
        raise FileNotFoundError(f"there is no checkpoint at {path}") from None
    except (SafetensorError, KeyError, json.JSONDecodeError) as error:
        raise ValueError(f"{path} is not a whole checkpoint of minilearn ({error}); "
                         "delete it and train again, or take another copy") from error


def _split(value: Any, name: str, arrays: dict[str, Any]) -> Any:
    """Move the tensors of a nested structure into `arrays`, leaving their names in their place."""
    if isinstance(value, Tensor):
        arrays[name] = xp.to_numpy(xp.contiguous(value.data))
        return {"__array__": name}
    if isinstance(value, dict):
        # JSON has only text keys: a list of pairs keeps numbers as they are.
        names = {key: f"{name}.{key}".lstrip(".") for key in value}
        return {"__dict__": [[key, _split(value[key], names[key], arrays)] for key in value]}
    if isinstance(value, list | tuple):
        items = [_split(v, f"{name}.{i}", arrays) for i, v in enumerate(value)]
        return {"__tuple__": items} if isinstance(value, tuple) else items
    return value


def _join(value: Any, arrays: dict[str, Any]) -> Any:
    """Undo `_split`."""
    if isinstance(value, list):
        return [_join(v, arrays) for v in value]
    if not isinstance(value, dict):
        return value
    ((kind, content),) = value.items()
    if kind == "__array__":
        return Tensor(xp.array(arrays[content]))
    if kind == "__tuple__":
        return tuple(_join(v, arrays) for v in content)
    return {key: _join(v, arrays) for key, v in content}
