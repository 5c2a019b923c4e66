"""A learner's folder: the files they write, and what has been reached so far.

`progress.json` is the whole state, readable and written whole. What it says of an exercise counts
only while the code is the code that passed: it is a cache, and `check --all` makes it anew.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import time
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from ...contracts import Case, Exercise, catalogue, course
from ...train.files import write_whole
from ..checking import cases
from ..verdicts import LASTING, Status

STATE = "progress.json"
HIDDEN = ".minilearn"  # backups and failing cases


class WorkError(RuntimeError):
    """There is no such folder or exercise, or it cannot be used: what to do instead."""


@dataclass
class Record:
    """What is known of one exercise."""

    passed: bool = False
    code: str = ""  # hash of the code that was checked last
    status: str = "not checked"
    checks: int = 0
    hints: int = 0  # how many have been read
    solution_seen: bool = False
    passed_at: str = ""


@dataclass
class Work:
    """A learner's folder."""

    folder: Path
    records: dict[str, Record] = field(default_factory=dict)

    # ------------------------------------------------------------ where it is

    @classmethod
    def find(cls, folder: Path | None = None) -> Work:
        """Open the given folder, or the nearest one from here upwards. Raises WorkError."""
        start = (folder or Path.cwd()).resolve()
        places = [start] if folder else [start, *start.parents]
        for place in places:
            if (place / STATE).is_file():
                return cls(place, _read(place / STATE))
        where = f"{folder} is no course folder" if folder else "no course folder here or above"
        raise WorkError(f"{where}: there is no {STATE}. Make one with `minilearn start FOLDER`, "
                        "or go into yours.")

    @classmethod
    def start(cls, folder: Path) -> tuple[Work, list[Path]]:
        """Copy exercises and lessons to a folder, leaving every file that is there as it is.

        Returns the work and the files that were new.
        """
        folder = folder.resolve()
        if folder.exists() and not folder.is_dir():
            raise WorkError(f"{folder} is a file; give the name of a folder")
        new = []
        for kind in ("exercises", "lessons"):
            source = course.folder(kind)
            for file in sorted(source.rglob("*.py")) if source.is_dir() else []:
                target = folder / (file.name if kind == "exercises" else f"lessons/{file.name}")
                if not target.exists():
                    target.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copyfile(file, target)
                    new.append(target)
        work = cls(folder, _read(folder / STATE) if (folder / STATE).is_file() else {})
        work.save()
        return work, new

    def save(self) -> None:
        """Write `progress.json`, whole."""
        done = {name: asdict(record) for name, record in self.records.items()}
        text = json.dumps({"minilearn": 1, "exercises": done}, indent=1)
        write_whole(self.folder / STATE, f"{text}\n".encode())

    # ------------------------------------------------------------ its exercises

    def file(self, exercise: Exercise) -> Path:
        """Return the file that holds the learner's version."""
        return self.folder / f"{exercise.lesson}.py"

    def source(self, exercise: Exercise) -> bytes:
        """Read the learner's file. Raises WorkError when it is not there."""
        try:
            return self.file(exercise).read_bytes()
        except OSError as error:
            raise WorkError(f"{self.file(exercise)}: {error.strerror}. `minilearn start "
                            f"{self.folder}` brings missing files back and leaves the others "
                            "alone.") from None

    def code(self, exercise: Exercise) -> str:
        """Hash the exercise's code together with everything in its file that is no exercise."""
        others = {name for name in catalogue() if name != exercise.name}
        try:
            text = course.without(self.source(exercise).decode("utf-8-sig"), others)
        except (SyntaxError, UnicodeDecodeError, ValueError):
            text = repr(self.source(exercise))
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def blank(self, exercise: Exercise) -> bool:
        """Say whether nothing has been written yet."""
        starter = (course.folder("exercises") / f"{exercise.lesson}.py").read_text("utf-8")
        try:
            mine = self.source(exercise).decode("utf-8-sig").replace("\r\n", "\n")
            return course.around(mine, exercise.name)[1] == course.around(starter, exercise.name)[1]
        except (SyntaxError, UnicodeDecodeError, ValueError, KeyError):
            return False

    def record(self, exercise: Exercise) -> Record:
        """Return what is known of an exercise."""
        return self.records.setdefault(exercise.name, Record())

    def done(self, exercise: Exercise) -> bool:
        """Say whether the code as it stands has passed."""
        record = self.records.get(exercise.name)
        return bool(record and record.passed and self.file(exercise).exists()
                    and record.code == self.code(exercise))

    def next(self) -> Exercise | None:
        """Return the first exercise that is not done, or None."""
        return next((e for e in catalogue().values() if not self.done(e)), None)

    # ------------------------------------------------------------ what happens to them

    def checked(self, result: Any) -> None:
        """Keep the outcome of a check, and the cases on which it failed."""
        exercise, record = result.exercise, self.record(result.exercise)
        record.checks += 1
        record.code, record.status = self.code(exercise), str(result.status)
        if result.passed and not record.passed:
            record.passed_at = datetime.now(UTC).isoformat(timespec="seconds")
        record.passed = result.passed
        failed = {p.prop.name: p.failure for p in result.properties
                  if p.failure and p.status not in (*LASTING, Status.NOT_IMPLEMENTED)}
        for name, seen in failed.items():
            self._keep(exercise, name, seen.case)
        self.save()

    def _keep(self, exercise: Exercise, prop: str, case: Case) -> None:
        folder = self.folder / HIDDEN / "cases"
        text = json.dumps({"exercise": exercise.name, "property": prop,
                           "case": json.loads(cases.to_text(case))})
        write_whole(folder / f"{exercise.name}-{cases.case_id(case)}.json", text.encode())

    def first_cases(self, exercise: Exercise) -> dict[str, Case]:
        """Return the latest failing case of each property: it is tried first next time."""
        files = (self.folder / HIDDEN / "cases").glob(f"{exercise.name}-*.json")
        kept = [self._case(file) for file in sorted(files, key=lambda f: f.stat().st_mtime)]
        return {prop: case for _, prop, case in kept}

    def case(self, name: str) -> tuple[str, str, Case]:
        """Find a kept case by `EXERCISE#ID`, by its id, or by the path of a case file.

        Returns the names of the exercise and the property, and the case. Raises WorkError.
        """
        if Path(name).is_file():
            return self._case(Path(name))
        _, _, wanted = name.rpartition("#")
        found = [*(self.folder / HIDDEN / "cases").glob(f"*-{wanted}.json")]
        if not found:
            raise WorkError(f"no case {name!r} is kept in {self.folder}; the message of a failed "
                            "check ends with the command that replays it")
        return self._case(found[0])

    def _case(self, file: Path) -> tuple[str, str, Case]:
        try:
            kept = json.loads(file.read_text("utf-8"))
            return kept["exercise"], kept["property"], cases.from_text(json.dumps(kept["case"]))
        except (ValueError, KeyError, TypeError, OSError) as error:
            raise WorkError(f"{file}: this is no case file ({error})") from None

    def backup(self, exercise: Exercise) -> Path:
        """Copy the learner's file to a safe place, and return where."""
        folder = self.folder / HIDDEN / "backup"
        folder.mkdir(parents=True, exist_ok=True)
        stamp = time.strftime("%Y%m%d-%H%M%S")
        target = folder / f"{exercise.lesson}-{stamp}.py"
        for n in range(2, 1000):
            if not target.exists():
                break
            target = folder / f"{exercise.lesson}-{stamp}-{n}.py"
        target.write_bytes(self.source(exercise))
        return target

    def reset(self, exercise: Exercise) -> Path:
        """Put the blank exercise back in its file, leaving the others; return the backup's path."""
        saved = self.backup(exercise)
        blank = (course.folder("exercises") / f"{exercise.lesson}.py").read_text("utf-8")
        _, fresh, _ = course.around(blank, exercise.name)
        try:
            mine = self.source(exercise).decode("utf-8-sig")
            before, _, after = course.around(mine, exercise.name)
            text = before + fresh + after
        except (SyntaxError, UnicodeDecodeError, KeyError):
            raise WorkError(
                f"{self.file(exercise)} cannot be read as Python, so that one exercise cannot be "
                f"found in it. Repair it, or delete it and run `minilearn start {self.folder}`; "
                f"a copy is in {saved}.") from None
        write_whole(self.file(exercise), text.encode())
        self.record(exercise).passed = False
        self.save()
        return saved


def _read(path: Path) -> dict[str, Record]:
    known = Record.__dataclass_fields__
    try:
        kept = json.loads(path.read_text("utf-8"))["exercises"]
        return {name: Record(**{k: v for k, v in entry.items() if k in known})
                for name, entry in kept.items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise WorkError(f"{path} cannot be read ({error}). Move it away and run `minilearn start "
                        f"{path.parent}`, then `minilearn check --all`: your code is untouched, "
                        "and progress is found again.") from None


def select(names: list[str]) -> list[Exercise]:
    """Find exercises by name, or all of a lesson by "03", "03_convolution" or its file.

    Raises WorkError with the nearest names.
    """
    every = catalogue()
    found: list[Exercise] = []
    for name in names:
        stem = Path(name).stem if name.endswith(".py") else name
        lesson = [e for e in every.values()
                  if stem in (e.lesson, e.lesson[:2], e.lesson[3:], e.lesson[:2].lstrip("0"))]
        if stem not in every and not lesson:
            near = get_close_matches(stem, [*every, *{e.lesson for e in every.values()}], 3, 0.5)
            meant = f"; did you mean {' or '.join(near)}?" if near else ""
            raise WorkError(f"no exercise or lesson is called {name!r}{meant} "
                            "(`minilearn list` shows all)")
        found += [every[stem]] if stem in every else lesson
    return [*{e.name: e for e in found}.values()]
