"""What a submission's text says before it runs: imports, names used, things to look at.

A rule here is for the good message, and for an exercise's own "without `np.convolve`"; it is the
jail that keeps a submission in. Runs inside the limited process, because the parser may fail there.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Collection, Iterator
from typing import Any

from .submission import lines_of

USUAL = {"__future__", "math", "numpy", "typing", "dataclasses", "functools", "itertools",
         "collections", "enum"}  # all that exercises need
LOOKED_AT = {"exec", "eval", "compile", "open", "__import__", "breakpoint", "input"}
INNER = {"__globals__", "__subclasses__", "__builtins__", "__code__", "__closure__", "__loader__",
         "__spec__", "__dict__", "__mro__", "__bases__", "f_back", "f_globals", "f_locals",
         "tb_frame", "gi_frame", "ctypeslib", "ctypes"}
MOST_NAMES, MOST_FLAGS, LONGEST_NAME, LONGEST_CHAIN = 5000, 20, 200, 20


def examine(source: bytes) -> dict[str, Any]:
    """Return the findings about a file: what is forbidden, what to look at, which names it uses.

    >>> examine(b"import torch")["forbidden"]["line"]
    [1, 'import torch']
    """
    findings: dict[str, Any] = {"forbidden": {}, "flags": [], "uses": {}}
    try:
        text = source.decode("utf-8-sig")
        tree = ast.parse(text)
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return findings  # the import will say what is wrong
    drop_main(tree)
    lines = lines_of(text)
    for node, name in imported(tree):
        root = name.partition(".")[0]
        if root not in USUAL | sys.stdlib_module_names:
            findings["forbidden"] = _refused_import(node, name, lines)
            break
    findings["flags"] = list(flags(tree))
    findings["uses"] = Uses(tree).by_owner()
    if sum(len(names) for names, _ in findings["uses"].values()) > MOST_NAMES:
        findings |= {"uses": {}, "forbidden": {
            "status": "forbidden", "message": f"the file uses more than {MOST_NAMES} names"}}
    return findings


def drop_main(tree: ast.Module) -> None:
    """Leave out `if __name__ == "__main__":`, which does not run here."""
    tree.body = [node for node in tree.body if not (
        isinstance(node, ast.If) and not node.orelse
        and ast.unparse(node.test) in ("__name__ == '__main__'", "'__main__' == __name__"))]


def imported(tree: ast.AST) -> Iterator[tuple[ast.stmt, str]]:
    """Yield every import statement with the modules that it names, in the order of the lines."""
    found: list[tuple[ast.stmt, str]] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [(node, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            found.append((node, "." * node.level + (node.module or "")))
    yield from sorted(found, key=lambda pair: pair[0].lineno)


def _refused_import(node: ast.stmt, name: str, lines: list[str]) -> dict[str, Any]:
    text = lines[node.lineno - 1].strip()[:LONGEST_NAME]
    message = (f"`import {name[:LONGEST_NAME]}` is not available in exercises: "
               "they are built from numpy and Python alone")
    return {"status": "forbidden", "error": "ImportError", "message": message,
            "line": [node.lineno, text]}


def flags(tree: ast.AST) -> Iterator[str]:
    """Yield what an instructor may want to look at, as "name:line", once for each name."""
    seen: dict[str, int] = {}
    for statement, name in imported(tree):
        root = name.partition(".")[0]
        if root not in USUAL:
            seen.setdefault(root[:LONGEST_NAME], statement.lineno)
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id in LOOKED_AT:
            seen.setdefault(node.id, node.lineno)
        elif isinstance(node, ast.Attribute) and node.attr in INNER:
            seen.setdefault(node.attr, node.lineno)
    yield from (f"{name}:{line}" for name, line in list(seen.items())[:MOST_FLAGS])


# ---------------------------------------------------------------- names used


class Uses:
    """The full names, such as `numpy.convolve`, that each definition of a file uses.

    Follows `import numpy as np`, `from numpy import convolve as c`, `n = np` and
    `getattr(np, "convolve")`; which of several values a name has at a time, it does not know.
    """

    def __init__(self, tree: ast.Module):
        self.tree = tree
        self.aliases: dict[str, set[str]] = {}
        self.stars: list[str] = []
        self._collect_imports()
        self._collect_assignments()

    def _collect_imports(self) -> None:
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    whole = alias.name if alias.asname else alias.name.partition(".")[0]
                    self._bind(alias.asname or whole, whole)
            elif isinstance(node, ast.ImportFrom):
                for alias in node.names:
                    if alias.name == "*":
                        self.stars.append(node.module or "")
                    else:
                        self._bind(alias.asname or alias.name, f"{node.module}.{alias.name}")

    def _bind(self, name: str, full: str) -> bool:
        known = self.aliases.setdefault(name, set())
        new = full not in known and len(known) < 8 and len(full) <= LONGEST_NAME
        known |= {full} if new else set()
        return new

    def _collect_assignments(self) -> None:
        """Follow assignments of modules and functions to names, until nothing new is found."""
        pairs = [pair for node in ast.walk(self.tree) for pair in assigned(node)]
        for _ in range(8):
            new = [self._bind(name, full) for name, value in pairs for full in self.resolve(value)]
            if not any(new):
                return

    def resolve(self, node: ast.AST) -> list[str]:
        """Return the full names that an expression may stand for."""
        parts: list[str] = []
        while len(parts) < LONGEST_CHAIN:
            if isinstance(node, ast.Attribute):
                parts.append(node.attr)
                node = node.value
            elif (name := _got_attribute(node)) is not None:
                parts.append(name)
                node = node.args[0]
            else:
                break
        if not isinstance(node, ast.Name):
            return ["." + parts[0]] if parts else []
        bases = self.aliases.get(node.id) or {f"{star}.{node.id}" for star in self.stars}
        tail = "".join("." + part for part in reversed(parts))
        return [base + tail for base in bases] or (["." + parts[0]] if parts else [])

    def by_owner(self) -> dict[str, list]:
        """Return, for each top-level name, `[{full name: line}, [other top-level names]]`."""
        owners = [(bound(node), node) for node in self.tree.body]
        own = {name for names, _ in owners for name in names}
        found: dict[str, list] = {name: [{}, []] for name in own}
        for names, node in owners:
            used, others = self._in_statement(node, own)
            for name in names:
                found[name][0] = used | found[name][0]
                found[name][1] = sorted(set(found[name][1]) | others)
        return found

    def _in_statement(self, statement: ast.stmt, own: set[str]) -> tuple[dict, set[str]]:
        used: dict[str, int] = {}
        others: set[str] = set()
        if isinstance(statement, ast.Import | ast.ImportFrom):
            return used, others
        for node in ast.walk(statement):
            if isinstance(node, ast.Name) and node.id in own:
                others.add(node.id)
            if isinstance(node, ast.MatMult):
                used.setdefault("@", statement.lineno)
            if isinstance(node, ast.Name | ast.Attribute | ast.Call):
                for full in self.resolve(node):
                    used.setdefault(full[:LONGEST_NAME], node.lineno)
        return used, others


def _got_attribute(node: ast.AST) -> str | None:
    """Return the name in `getattr(x, "name")`."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) \
            and node.func.id == "getattr" and len(node.args) >= 2 \
            and isinstance(node.args[1], ast.Constant) and isinstance(node.args[1].value, str):
        return node.args[1].value
    return None


def assigned(node: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    """Yield the (name, value) of an assignment."""
    if isinstance(node, ast.Assign):
        for target in node.targets:
            yield from _matched(target, node.value)
    elif isinstance(node, ast.AnnAssign | ast.NamedExpr) and node.value:
        yield from _matched(node.target, node.value)


def _matched(target: ast.AST, value: ast.AST) -> Iterator[tuple[str, ast.AST]]:
    if isinstance(target, ast.Name):
        yield target.id, value
    elif isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
        for part, content in zip(target.elts, value.elts, strict=False):
            if isinstance(part, ast.Name):
                yield part.id, content


def bound(statement: ast.stmt) -> set[str]:
    """Return the top-level names that a statement gives a meaning."""
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return {statement.name}
    names = set()
    for node in ast.walk(statement):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
    return names


# ---------------------------------------------------------------- rules of an exercise


def forbidden(findings: dict, function: str, names: Collection[str]) -> dict[str, Any]:
    """Return what a function does that its exercise forbids, itself or through what it calls.

    names: full names such as "numpy.convolve", "numpy.linalg" for all in it, ".dot", "@".
    """
    for name in called(findings, function):
        for full, line in findings["uses"][name][0].items():
            if rule := next((rule for rule in names if breaks(full, rule)), None):
                return {"status": "forbidden", "line": [line, full],
                        "message": f"`{rule}` may not be used in {function}"}
    return {}


def called(findings: dict, function: str) -> list[str]:
    """Name a function and everything in its file that it calls, directly or through others."""
    uses, seen, waiting = findings.get("uses", {}), [], [function]
    while waiting:
        name = waiting.pop()
        if name in uses and name not in seen:
            seen.append(name)
            waiting += uses[name][1]
    return seen


def breaks(full: str, rule: str) -> bool:
    """Say whether a name that is used breaks a rule; numpy's functions stand in several modules.

    >>> breaks("numpy.core.numeric.convolve", "numpy.convolve")
    True
    >>> breaks("numpy.linalg.inv", "np.linalg"), breaks("numpy.linalg.inv", "numpy.lin")
    (True, False)
    """
    if rule.startswith("np."):
        rule = "numpy." + rule[3:]
    if full == rule or full.startswith(rule + "."):
        return True
    same_root = full.startswith("numpy.") and rule.startswith("numpy.")
    return same_root and full.rpartition(".")[2] == rule.rpartition(".")[2]
