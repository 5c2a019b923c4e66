"""Where the files of the course lie, and how one exercise is found in them."""

from __future__ import annotations

import ast
import sys
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).parents[1]


def folder(kind: str) -> Path:
    """Return the folder of the course's "exercises", "solutions" or "lessons".

    In a checkout they stand beside the package; `pip install` puts them under share/minilearn.
    """
    beside = PACKAGE.parent / kind
    return beside if beside.is_dir() else Path(sys.prefix) / "share" / "minilearn" / kind


@cache
def solutions(lesson: str) -> str:
    """Return the text of a lesson's solutions, such as "03_convolution"."""
    return (folder("solutions") / f"{lesson}.py").read_text(encoding="utf-8")


@cache
def _places(source: str) -> dict[str, tuple[int, int]]:
    """Map each top-level function and class to its first and last line (counted from 0)."""
    nodes = [n for n in ast.parse(source).body if isinstance(n, ast.FunctionDef | ast.ClassDef)]
    return {n.name: (min([n.lineno, *(d.lineno for d in n.decorator_list)]) - 1, n.end_lineno or 0)
            for n in nodes}


def names(lesson: str) -> list[str]:
    """List the top-level functions and classes of a lesson's solutions, in order."""
    return list(_places(solutions(lesson)))


def around(source: str, name: str) -> tuple[str, str, str]:
    """Cut a source into what is before, in and after a top-level function or class."""
    lines = source.splitlines(keepends=True)
    first, last = _places(source)[name]
    return "".join(lines[:first]), "".join(lines[first:last]), "".join(lines[last:])


def without(source: str, names: set[str]) -> str:
    """Return a source without these top-level functions and classes."""
    lines = source.splitlines(keepends=True)
    dropped = {i for name, (first, last) in _places(source).items() if name in names
               for i in range(first, last)}
    return "".join(line for i, line in enumerate(lines) if i not in dropped)
