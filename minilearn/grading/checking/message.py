"""What the learner reads: at most 15 lines, always in the same order.

What fails, the smallest input, what is due, what came, the first difference, the likely cause, and
how to try this input again.
"""

from __future__ import annotations

import re
import textwrap
from typing import Any

import numpy as np

from ...contracts import Raises
from ..verdicts import LASTING, Status
from .compare import Difference, number
from .runner import ExerciseResult, PropertyResult, Seen

LINES = 15
WIDTH = 96
ARGUMENT_LINES = 4
WINDOW = 6  # rows and columns of an array that are shown


def message(result: ExerciseResult) -> str:
    """Write the verdict on one exercise."""
    if result.passed:
        points = f"{result.points_earned} point{'s' * (result.points_earned != 1)}"
        return f"✓ {result.name}: all {len(result.properties)} properties hold ({points})"
    failed = next(p for p in result.properties if p.status != Status.PASS)
    head = [_headline(result, failed), ""]
    tail = _tail(result, failed)
    body = _body(result, failed)
    room = LINES - len(head) - len(tail)
    if len(body) > room:
        body = [*body[: room - 1], "    ..."]
    return "\n".join(line.rstrip()[:WIDTH + 40] for line in [*head, *body, *tail])


def _headline(result: ExerciseResult, failed: PropertyResult) -> str:
    good = sum(p.status == Status.PASS for p in result.properties)
    earned = "no" if result.points_earned is None else result.points_earned
    score = f"({good} of {len(result.properties)} properties hold, " \
            f"{earned} of {result.exercise.points} points)"
    if failed.status == Status.NOT_IMPLEMENTED:
        what = "not yet to be checked" if result.needs else "not written yet"
        return f"… {result.name}: {what} {score}"
    return f"✗ {result.name}: {failed.prop.name}  {score}"


def _tail(result: ExerciseResult, failed: PropertyResult) -> list[str]:
    if result.needs:
        return _begin_there(result)
    lines = []
    for cause in result.causes[:2]:
        lines += textwrap.wrap(f"Likely cause: {cause.sentence}", WIDTH, initial_indent="  ",
                               subsequent_indent="    ")
        lines.append(f"    (this explains all {cause.fits} inputs tried; {cause.telling} of them "
                     "tell it apart from the right result)")
    if failed.status == Status.NOT_IMPLEMENTED:
        return [f"  The first hint: minilearn hint {result.name}"]
    if failed.status in LASTING:
        return []
    if failed.failure is not None and failed.failure.case:
        again = f"minilearn replay {result.name}#{failed.case_id}"
        lines.append(f"  Try this input again: {again}     A hint: minilearn hint {result.name}")
    return lines


def _begin_there(result: ExerciseResult) -> list[str]:
    """Say which function that this one calls has to be put right first."""
    name, status = next(iter(result.needs.items()))
    state = "is not written yet" if status == Status.NOT_IMPLEMENTED else "is not right itself"
    return [f"  It calls {name}, which {state}. Begin there: minilearn check {name}"]


def _body(result: ExerciseResult, failed: PropertyResult) -> list[str]:
    if failed.status == Status.NOT_IMPLEMENTED and result.needs:
        return []
    if failed.status == Status.NOT_IMPLEMENTED:
        return [f"  {result.exercise.title}: about {result.exercise.minutes} minutes, in "
                f"{result.exercise.lesson}.py{_at(failed)}."]
    if failed.failure is None:
        return [f"  The grader itself failed ({failed.error}). This is not your fault, and costs "
                "no points."] if failed.error else ["  There was no time left for it."]
    seen = failed.failure
    if failed.status in LASTING:
        return [f"  {seen.difference.text}", *_line(seen)]
    return [f"  {_opening(failed.status)}", *wrapped(_call(result, seen)), *_outcome(failed, seen)]


def _at(failed: PropertyResult) -> str:
    line = failed.failure.reply.line if failed.failure else None
    return f", line {line[0]}" if line else ""


def _opening(status: Status) -> str:
    if status == Status.NONDETERMINISTIC:
        return "The result depends on earlier calls or on chance. One input where it went wrong:"
    return "Smallest input found where it goes wrong:"


def _call(result: ExerciseResult, seen: Seen) -> str:
    shown = [f"{name} = {value(v)}" for name, v in seen.case.items()]
    return "   ".join(shown) or f"{result.name}()"


def wrapped(text: str) -> list[str]:
    """Break the arguments of a call into lines, at most four."""
    lines = [""]
    for part in text.split("   "):
        if lines[-1] and len(lines[-1]) + len(part) > WIDTH:
            lines.append("")
        lines[-1] += ("   " if lines[-1] else "") + part
    broken = [piece for line in lines for piece in textwrap.wrap(line, WIDTH) or [""]]
    more = ["..."] if len(broken) > ARGUMENT_LINES else []
    return [f"    {line}" for line in [*broken[: ARGUMENT_LINES - len(more)], *more]]


def _outcome(failed: PropertyResult, seen: Seen) -> list[str]:
    difference = seen.difference
    if failed.status == Status.EXCEPTION:
        return [f"  raised {difference.text}", *_line(seen), *_due(seen)]
    if failed.status == Status.TIMEOUT:
        return ["  There was no answer in time: is there a loop that never ends on this input?"]
    if difference.expected is None and difference.got is None:
        return [f"  {_death(failed.status)} {difference.text}".rstrip(), *_line(seen)]
    where = f" in result{difference.where}" if difference.where else ""
    return [*_both(difference), f"  First difference{where}: {difference.text}."]


def _death(status: Status) -> str:
    return {Status.CRASHED: "The process crashed:", Status.EXITED: "The process ended itself:",
            Status.MEMORY: "Too much memory was asked for.",
            Status.PROTOCOL: "The process wrote where only the grader writes.",
            Status.WRONG_TYPE: "The result has the wrong type:"}.get(status, "")


def _line(seen: Seen) -> list[str]:
    if not seen.reply.line:
        return []
    number, text = seen.reply.line
    return [f"    line {number}:  {text.strip()[:WIDTH]}"]


def _due(seen: Seen) -> list[str]:
    return [f"  expected {value(seen.due)[:WIDTH]}"]


def styled(text: str, terminal: bool) -> str:
    """Show what stands between ** in bold, and the marks in colour, where it is a terminal.

    >>> styled("the **bias** is missing", terminal=False)
    'the bias is missing'
    """
    if not terminal:
        return re.sub(r"\*\*(.+?)\*\*", r"\1", text)
    text = re.sub(r"\*\*(.+?)\*\*", "\033[1m\\1\033[22m", text)
    text = re.sub(r"^(✓ \S+)", "\033[1;32m\\1\033[0m", text, flags=re.MULTILINE)
    return re.sub(r"^(✗ \S+)", "\033[1;31m\\1\033[0m", text, flags=re.MULTILINE)


# ---------------------------------------------------------------- values


def value(v: Any) -> str:
    """Write an argument in one line: `(1, 2) [[1 2]]` for an array."""
    if isinstance(v, np.ndarray):
        shape = ",".join(map(str, v.shape)) + ("," if v.ndim == 1 else "")
        text = flat(v) if v.size <= 12 else f"[{flat(v.ravel()[:6])[1:-1]} ...]"
        kind = "" if v.dtype in (np.float64, np.int64) else f" {v.dtype}"
        return f"({shape}){kind} {text}"
    if isinstance(v, tuple | list):
        inner = ", ".join(value(x) for x in v)
        return f"[{inner}]" if isinstance(v, list) else f"({inner}{',' * (len(v) == 1)})"
    if isinstance(v, dict):
        return "{" + ", ".join(f"{k}: {value(x)}" for k, x in v.items()) + "}"
    if isinstance(v, Raises):
        return f"a {v.error}"
    return number(v) if isinstance(v, int | float) else repr(v)


def flat(v: np.ndarray) -> str:
    """Write an array in one line, numbers as briefly as possible.

    >>> flat(np.array([[1.0, 2.5]]))
    '[[1 2.5]]'
    """
    if v.ndim == 0:
        return number(v[()])
    return "[" + " ".join(flat(x) for x in v) + "]"


def _both(difference: Difference) -> list[str]:
    """Show what is due beside what came; two small arrays as blocks, with the wrong marked."""
    due, got = difference.expected, difference.got
    if not (isinstance(due, np.ndarray) and isinstance(got, np.ndarray)):
        return [f"  expected {value(due)[:WIDTH]}", f"  got      {value(got)[:WIDTH]}"]
    left = [f"expected shape {due.shape}", *block(due, difference.index)]
    shape = "" if got.shape == due.shape else f" shape {got.shape}"
    right = [f"got{shape}", *block(got, difference.index, difference.wrong)]
    width = max(map(len, left)) + 3
    rows = max(len(left), len(right))
    left += [""] * (rows - len(left))
    right += [""] * (rows - len(right))
    return [f"  {a:<{width}}{b}" for a, b in zip(left, right, strict=True)]


def block(v: np.ndarray, index: tuple | None = None, wrong: np.ndarray | None = None) -> list[str]:
    """Show the last two dimensions of an array, around an index; `*` marks what is wrong."""
    if v.size == 0:
        return ["(no elements)"]
    index = index if index and len(index) == v.ndim else (0,) * v.ndim
    at = index[:-2]
    matrix = v[at] if v.ndim > 2 else v.reshape(1, -1) if v.ndim < 2 else v
    marks = np.zeros(matrix.shape, bool) if wrong is None else (
        wrong[at] if v.ndim > 2 else wrong.reshape(matrix.shape))
    position = index[-2:] if v.ndim >= 2 else (0, index[-1] if index else 0)
    rows, columns = (_window(n, i) for n, i in zip(matrix.shape, position, strict=True))
    cells = [[number(matrix[r, c]) + "*" * bool(marks[r, c]) for c in columns] for r in rows]
    width = max(len(c) for row in cells for c in row)
    more = " …" if len(columns) < matrix.shape[1] else ""
    lines = [" ".join(f"{c:>{width}}" for c in row) + more for row in cells]
    if len(rows) < matrix.shape[0]:
        lines.append("…")
    return lines


def _window(size: int, around: int) -> range:
    start = max(0, min(around - WINDOW // 2, size - WINDOW))
    return range(start, min(start + WINDOW, size))
