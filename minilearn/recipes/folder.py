"""The folder of a run: its settings, its checkpoint, its history, its result and its figures."""

from __future__ import annotations

import json
import platform
import re
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from .. import processes
from ..train.files import write_whole


class RunError(Exception):
    """A run that cannot be begun, resumed or read; the message says what to do."""


class RunFolder:
    """A folder that belongs to one run.

    settings.json (what was asked for), checkpoint.safetensors and history.csv (written after every
    epoch), result.json and figures/ (written at the end).
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.settings_file = self.path / "settings.json"
        self.checkpoint = self.path / "checkpoint.safetensors"
        self.history = self.path / "history.csv"
        self.result_file = self.path / "result.json"
        self.figures = self.path / "figures"

    @classmethod
    def fresh(cls, name: str, root: str | Path = "runs") -> RunFolder:
        """Return the first of runs/NAME-001, -002, ... that does not exist yet."""
        taken = [int(found[1]) for path in Path(root).glob(f"{name}-*")
                 if (found := re.fullmatch(rf"{re.escape(name)}-(\d+)", path.name))]
        free = Path(root) / f"{name}-{max(taken, default=0) + 1:03d}"
        return cls(processes.from_first(free))

    def begin(self, settings: dict[str, Any], resume: bool) -> bool:
        """Claim the folder for a run; return whether there is a checkpoint to go on from.

        Raises RunError when the folder is taken and `resume` was not said, when there is nothing
        to resume, or when the settings are not those the run was begun with. Of several workers
        the first decides; the others do not see the folder before it has.
        """
        return processes.from_first(processes.rank() == 0 and self._begin(settings, resume))

    def _begin(self, settings: dict[str, Any], resume: bool) -> bool:
        if not resume:
            if self.path.exists() and (not self.path.is_dir() or any(self.path.iterdir())):
                raise RunError(f"{self.path} already has results; go on with it by --resume, "
                               "or write to another folder with --out")
            self._write(self.settings_file, settings)
            return False
        before = self.settings()
        changed = [f"{key}: {before.get(key)!r} then, {settings[key]!r} now"
                   for key in settings if settings[key] != before.get(key)]
        if changed:
            raise RunError(f"{self.path} was begun with other settings ({'; '.join(changed)}); "
                           "resume it with the same ones, or begin another with --out")
        return self.checkpoint.exists()

    def remember(self, name: str, value: Any) -> None:
        """Keep one more fact beside the settings."""
        self._write(self.settings_file, self.settings() | {name: value})

    def settings(self) -> dict[str, Any]:
        """Return the settings the run was begun with; RunError where there is no run."""
        return self._read(self.settings_file)

    def result(self) -> dict[str, Any] | None:
        """Return the result of a finished run, or None."""
        return self._read(self.result_file) if self.result_file.exists() else None

    def write_result(self, result: dict[str, Any]) -> None:
        """Write result.json, with the versions of what computed it."""
        self._write(self.result_file, result | {"versions": versions()})

    def _write(self, path: Path, content: dict[str, Any]) -> None:
        try:
            write_whole(path, (json.dumps(content, indent=2, allow_nan=False) + "\n").encode())
        except OSError as error:
            raise RunError(f"cannot write {path}: {error.strerror}; choose another folder with "
                           "--out") from error

    def _read(self, path: Path) -> dict[str, Any]:
        try:
            return json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise RunError(f"{self.path} holds no run: there is no {path.name} in it") from None
        except (ValueError, OSError) as error:
            raise RunError(f"{path} cannot be read ({error}); begin another run") from error


def versions() -> dict[str, str]:
    """Return the versions of Python, minilearn and the array libraries."""
    found = {"python": platform.python_version()}
    for package in ("minilearn", "numpy", "array-api-compat", "torch"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
