"""The reference: a page for each public module, made of signatures and docstrings."""

from __future__ import annotations

import importlib
import inspect
import re
from collections.abc import Iterator
from typing import Any

PAGES = {
    "minilearn": "Tensors and their functions",
    "minilearn.functional": "Functions of a net (`minilearn.nn.functional`)",
    "minilearn.nn": "Layers",
    "minilearn.nn.init": "First weights",
    "minilearn.optim": "Optimizers",
    "minilearn.optim.lr_scheduler": "Learning-rate schedules",
    "minilearn.data": "Data",
    "minilearn.train": "Training",
    "minilearn.models": "Models",
    "minilearn.viz": "Pictures",
    "minilearn.check": "Checking derivatives",
}


def page(module_name: str, title: str) -> str:
    """Return a module's page, in Markdown."""
    module = importlib.import_module(module_name)
    parts = [f"# {title}", f"`import {module_name}`", prose(inspect.getdoc(module) or "")]
    for name in public(module):
        parts += entry(name, getattr(module, name), 2)
    return "\n\n".join(parts) + "\n"


def public(module: Any) -> list[str]:
    """Return the names of a module's functions and classes, in the order of the alphabet."""
    listed = getattr(module, "__all__", None) or [n for n in vars(module) if not n.startswith("_")]
    return sorted((n for n in listed if callable(getattr(module, n)) and inspect.getdoc(
        getattr(module, n)) and _ours(getattr(module, n))), key=str.lower)


def _ours(thing: Any) -> bool:
    return (getattr(thing, "__module__", None) or "").startswith("minilearn")


def entry(name: str, thing: Any, level: int) -> Iterator[str]:
    """Yield the parts of one name: heading, signature, docstring, and a class's methods."""
    yield f"{'#' * level} {name}"
    yield f"```python\n{name}{signature(thing)}\n```"
    yield prose(inspect.getdoc(thing) or "")
    if inspect.isclass(thing):
        for method, value in vars(thing).items():
            if not method.startswith("_") and inspect.isroutine(value) and value.__doc__:
                yield f"**{method}**`{signature(value)}`"
                yield prose(inspect.getdoc(value) or "")


def signature(thing: Any) -> str:
    """Return the arguments of a callable without the types: the docstring says more."""
    try:
        found = inspect.signature(thing)
    except (TypeError, ValueError):
        return "(...)"
    plain = [p.replace(annotation=p.empty) for p in found.parameters.values() if p.name != "self"]
    text = str(found.replace(parameters=plain, return_annotation=found.empty))
    objects = r"<(?:class |function |built-in function )?'?(?:\w+\.)*(\w+)[^<>]*>"
    return re.sub(objects, r"\1", text)


def prose(docstring: str) -> str:
    """Turn a docstring into Markdown: paragraphs, lists of arguments, formulas, examples."""
    blocks = re.split(r"\n\s*\n", docstring.strip())
    return "\n\n".join(_block(block) for block in blocks if block.strip())


def _block(block: str) -> str:
    if block.lstrip().startswith(">>>"):
        return f"```python\n{inspect.cleandoc(block)}\n```"
    if all(line.startswith("  ") for line in block.splitlines()):
        return f"```text\n{inspect.cleandoc(block)}\n```"
    return _items(block)


ARGUMENT = re.compile(r"\*{0,2}\w+(, \*{0,2}\w+)*( \([^)]*\))?: ")
ENDS = ("Source:", "Raises", "Returns", "Shape:", "Yields")


def _items(block: str) -> str:
    """Make a list of lines that begin like "lr: ..." or "x, y (N, C): ..."; others run on."""
    lines, listed = [], False
    for line in block.splitlines():
        ends = line.startswith(ENDS)
        if ARGUMENT.match(line) and not ends:
            lines.append(f"* {_plain(line)}")
            listed = True
        else:
            lines += ["", _plain(line)] if listed and ends else [_plain(line.strip())]
            listed = listed and not ends
    return "\n".join(lines)


def _plain(text: str) -> str:
    """Escape what Markdown would take for markup, outside of `code` and of *words* so marked."""
    parts = re.split(r"(``?[^`]+``?|(?<!\S)\*\w+\*(?!\w))", text)
    return "".join(part if i % 2 else re.sub(r"([*_<>\[\]$#~^{}|`])", r"\\\1", part)
                   for i, part in enumerate(parts))
