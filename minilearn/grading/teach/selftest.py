"""Grades the hostile and broken submissions, and says where a verdict is not the one due."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

from ...contracts import catalogue, course
from ..checking.runner import Settings
from .grade import grade_submission
from .hostile import ATTACKS, Attack
from .release import starters

SETTINGS = Settings(examples=60, seed=3)
NEIGHBOURS = "output_size", "linear"  # whichever is in the same file


def selftest(only: Iterable[str] | None, tell: Callable[[str], None]) -> int:
    """Grade every attack, or those numbered so; return 0 if every verdict is the one due, else 1.

    A number without its letter stands for all of its letters.
    """
    wanted = set(only or ())
    chosen = [a for a in ATTACKS if not wanted or {a.number, a.number.rstrip("abc")} & wanted]
    failures = 0
    for attack in chosen:
        entries = attempt(attack)
        wrong = judge(attack, entries)
        failures += bool(wrong)
        tell(f"{'✗' if wrong else '✓'} {attack.number:>3} {attack.what}: "
             f"{entries[attack.exercise]['status']}")
        for sentence in wrong:
            tell(f"      {sentence}")
    tell(f"{len(chosen) - failures} of {len(chosen)} verdicts are right.")
    return int(failures > 0 or not chosen)


def attempt(attack: Attack) -> dict[str, Any]:
    """Grade an attack and its neighbour; return the outcomes by exercise."""
    names = [attack.exercise, neighbour(attack)]
    return grade_submission(files(attack), SETTINGS, names)["exercises"]


def judge(attack: Attack, entries: dict[str, Any]) -> list[str]:
    """Say in what the verdicts on an attack are not what they must be."""
    entry, beside = entries[attack.exercise], entries[neighbour(attack)]
    points, every = entry["points_earned"], entry["points_possible"]
    good = {"none": points == 0, "all": points == every,
            "some": points is not None and 0 < points < every}
    wrong = [] if entry["status"] in attack.status else [
        f"is {entry['status']}, must be {' or '.join(attack.status)}"]
    wrong += [] if good[attack.points] else [f"gets {points} of {every} points, must get "
                                             f"{attack.points}"]
    wrong += [f"the message does not say {text!r}" for text in attack.says
              if text not in entry["message"]]
    if beside["status"] != attack.neighbour:
        wrong.append(f"{neighbour(attack)} beside it is {beside['status']}, must be "
                     f"{attack.neighbour}")
    if attack.flag and attack.flag not in entry["flags"]:
        wrong.append(f"the instructor is not told {attack.flag!r}")
    if attack.truncated and not entry["output_truncated"]:
        wrong.append("nobody is told that the output was cut")
    if "Traceback" in entry["message"] or "Flaky" in entry["message"]:
        wrong.append("the message shows the inside of the grader")
    return wrong


def neighbour(attack: Attack) -> str:
    """Name the other exercise of the same file, which must be graded as usual."""
    lesson = catalogue()[attack.exercise].lesson
    return next(name for name in NEIGHBOURS if catalogue()[name].lesson == lesson)


def files(attack: Attack) -> dict[str, bytes]:
    """Return the submission."""
    lesson = catalogue()[attack.exercise].lesson
    if attack.code is None:
        return {"02_training.py": course.solutions("02_training").encode()}
    if attack.code == "STARTER":
        return {f"{lesson}.py": _starters()[f"{lesson}.py"].encode()}
    if attack.code == "ODD":
        return {f"{lesson}.py": odd(course.solutions(lesson))}
    if attack.whole:
        return {f"{lesson}.py": attack.code.encode()}
    code = attack.code.replace("SOLUTIONS", str(course.folder("solutions")))
    return {f"{lesson}.py": instead(lesson, attack.exercise, code).encode()}


def instead(lesson: str, name: str, code: str) -> str:
    """Put code in the place of an exercise's solution, which is there as `right`."""
    before, right, after = course.around(course.solutions(lesson), name)
    return before + right.replace(f"def {name}(", "def right(", 1) + "\n\n" + code + after


def odd(source: str) -> bytes:
    """Make a right file look unusual: BOM, CRLF, tabs, other letters, what was left behind."""
    left_behind = ('\n\n# café, 卷积\ndef unused(x):\n\treturn x.nothing + 1\n\n\n'
                   'if __name__ == "__main__":\n\twhile True:\n\t\tunused(1)\n')
    text = source.replace("    ", "\t") + left_behind
    return b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode()


_starters = cache(starters)
