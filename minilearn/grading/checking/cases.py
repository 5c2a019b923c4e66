"""Cases as text: a name for each, and a file format to keep them in."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import numpy as np

from ...contracts import Case


def case_id(case: Case) -> str:
    """Name a case by a hash of its arguments.

    >>> case_id({"x": 1}) == case_id({"x": 1}) != case_id({"x": 2})
    True
    """
    return hashlib.sha256(to_text(case).encode()).hexdigest()[:6]


def to_text(case: Case) -> str:
    """Write a case as JSON."""
    return json.dumps(_encoded(case))


def from_text(text: str) -> Case:
    """Read a case from JSON. Raises ValueError when it is not one."""
    case = _decoded(json.loads(text))
    if not isinstance(case, dict):
        raise ValueError("a case is a JSON object of arguments")
    return case


def _encoded(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _encoded(v) for k, v in value.items()}
    if isinstance(value, np.ndarray):
        return {"array": value.ravel().tolist(), "shape": value.shape, "dtype": str(value.dtype)}
    if isinstance(value, tuple):  # JSON knows lists only
        return {"tuple": [_encoded(v) for v in value]}
    if isinstance(value, list):
        return [_encoded(v) for v in value]
    return value.item() if isinstance(value, np.generic) else value


def _decoded(value: Any) -> Any:
    if isinstance(value, list):
        return [_decoded(v) for v in value]
    if not isinstance(value, dict):
        return value
    if value.keys() == {"array", "shape", "dtype"}:
        return np.array(value["array"], value["dtype"]).reshape(value["shape"])
    if value.keys() == {"tuple"}:
        return tuple(_decoded(v) for v in value["tuple"])
    return {k: _decoded(v) for k, v in value.items()}
