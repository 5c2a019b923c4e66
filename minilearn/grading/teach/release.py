"""Starters from solutions: the same files, with the code of every exercise taken out.

What is kept: signatures, docstrings, all that is no exercise, the lines of a body above
`# --- your code`, and methods whose `def` line ends in `# given`.
"""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ...contracts import Exercise, catalogue, course
from ...train.files import write_whole

MARK = "# --- your code"
GIVEN = "# given"
RULE = "# " + "-" * 64


class ReleaseError(RuntimeError):
    """A solution cannot be turned into a starter; says which, and how to write it."""


@dataclass(frozen=True)
class Cut:
    """Lines from `first` up to, without, `last` (counted from 0), and what stands there instead."""

    first: int
    last: int
    instead: str


def numbers() -> dict[str, str]:
    """Number the exercises within their lessons: the second of lesson 3 is "3.2"."""
    seen: dict[str, int] = {}
    found = {}
    for exercise in catalogue().values():
        seen[exercise.lesson] = seen.get(exercise.lesson, 0) + 1
        found[exercise.name] = f"{int(exercise.lesson[:2])}.{seen[exercise.lesson]}"
    return found


def starters() -> dict[str, str]:
    """Return the text of every file of exercises, by its name."""
    lessons = dict.fromkeys(e.lesson for e in catalogue().values())
    headers = {name: header(catalogue()[name], n) for name, n in numbers().items()}
    return {f"{lesson}.py": starter(course.solutions(lesson), headers) for lesson in lessons}


def release(folder: Path) -> list[Path]:
    """Write the starters that are not there as they should be; return those."""
    old = stale(folder)
    for name in old:
        write_whole(folder / name, starters()[name].encode())
    return [folder / name for name in old]


def stale(folder: Path) -> list[str]:
    """List the starters in a folder that are missing, or differ from what the solutions say."""
    return [name for name, text in starters().items()
            if not (folder / name).is_file() or (folder / name).read_bytes() != text.encode()]


def header(exercise: Exercise, number: str) -> str:
    """Write the comment above an exercise in the starter."""
    points = f"{exercise.points} point{'s' * (exercise.points != 1)}"
    facts = f"About {exercise.minutes} minutes, difficulty {exercise.difficulty} of 3, {points}."
    given = f" Given: {exercise.given.rstrip('.')}." if exercise.given else ""
    lines = [f"{number} {exercise.name}: {exercise.title}", *textwrap.wrap(facts + given, 96)]
    return "".join(f"{line}\n" for line in [RULE, *(f"# {line}" for line in lines)])


def starter(source: str, headers: Mapping[str, str]) -> str:
    """Return the source without the code of the exercises that `headers` names."""
    lines = source.splitlines(keepends=True)
    cuts = [cut for node in _exercises(source, headers)
            for cut in _cuts(node, lines, headers[node.name])]
    for cut in sorted(cuts, key=lambda c: c.first, reverse=True):
        lines[cut.first : cut.last] = [cut.instead]
    return "".join(lines)


def solved_lines(source: str, names: Collection[str]) -> list[str]:
    """Return the lines that are taken out of a source."""
    lines = source.splitlines(keepends=True)
    return [line for node in _exercises(source, names) for cut in _cuts(node, lines, "")
            for line in lines[cut.first : cut.last]]


def _exercises(source: str, names: Collection[str]) -> list[ast.FunctionDef | ast.ClassDef]:
    return [n for n in ast.parse(source).body
            if isinstance(n, ast.FunctionDef | ast.ClassDef) and n.name in names]


def _cuts(node: ast.FunctionDef | ast.ClassDef, lines: list[str], above: str) -> Iterator[Cut]:
    first = min([node.lineno, *(d.lineno for d in node.decorator_list)]) - 1
    yield Cut(first, first, above)
    if isinstance(node, ast.FunctionDef):
        yield _body(node, lines, node.name)
        return
    methods = [m for m in node.body if isinstance(m, ast.FunctionDef)]
    yield from (_body(m, lines, f"{node.name}.{m.name}") for m in methods
                if not lines[m.lineno - 1].rstrip().endswith(GIVEN))


def _body(function: ast.FunctionDef, lines: list[str], name: str) -> Cut:
    """Cut the code of one function, down to comments that follow its last statement."""
    start, last, width = function.body[0], function.end_lineno, function.body[0].col_offset
    if lines[start.lineno - 1][:width].strip():
        raise ReleaseError(f"{name}: its body must begin on a line of its own")
    if ast.get_docstring(function) is not None:
        first = start.end_lineno
    else:
        first = start.lineno - 1
        while not _code(lines[first - 1]):
            first -= 1
    while last < len(lines) and (_inside(lines[last], width) or _more(lines, last, width)):
        last += 1
    marks = [i for i in range(first, last) if lines[i].startswith(" " * width + MARK)]
    return Cut(marks[0] + 1 if marks else first, last,
               f'{" " * width}raise NotImplementedError("{name}")\n')


def _code(line: str) -> bool:
    return bool(line.strip()) and not line.strip().startswith("#")


def _inside(line: str, width: int) -> bool:
    """Say whether a line is a comment that belongs to a body."""
    return line.strip().startswith("#") and len(line) - len(line.lstrip()) >= width


def _more(lines: list[str], at: int, width: int) -> bool:
    """Say whether a blank line is followed by such a comment."""
    rest = next((line for line in lines[at:] if line.strip()), "")
    return not lines[at].strip() and _inside(rest, width)
