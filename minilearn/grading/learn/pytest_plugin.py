"""The checks as plain pytest: `pytest --pyargs minilearn.contracts --work FOLDER`.

Each exercise is a test; what a failing one prints is the message for the learner. The
plugin is idle unless `--work` is given.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest


def pytest_addoption(parser: Any) -> None:
    """Add `--work FOLDER`."""
    parser.addoption("--work", metavar="FOLDER", type=Path, default=None,
                     help="check the exercises in this course folder (minilearn)")


def pytest_collect_file(file_path: Path, parent: Any) -> Any:
    """Collect a module of contracts as the tests of its exercises."""
    if parent.config.getoption("--work") is None or file_path.parent.name != "contracts":
        return None
    from ...contracts import contract

    if file_path.parent != Path(contract.__file__).parent:
        return None
    known = {module for modules in contract.MODULES.values() for module in modules}
    return Contract.from_parent(parent, path=file_path) if file_path.stem in known else None


class Contract(pytest.File):
    """One module of contracts."""

    def collect(self) -> Iterator[Any]:
        """Yield the exercises that the module registers."""
        from ...contracts import catalogue
        from .work import Work

        work = Work.find(self.config.getoption("--work"))
        for exercise in catalogue().values():
            if exercise.module == self.path.stem:
                yield Checked.from_parent(self, name=exercise.name, exercise=exercise, work=work)


class Checked(pytest.Item):
    """One exercise, checked against the learner's folder."""

    def __init__(self, exercise: Any, work: Any, **rest: Any):
        super().__init__(**rest)
        self.exercise, self.work = exercise, work

    def runtest(self) -> None:
        """Check it; raise with the learner's message unless it passes."""
        from .learner import check, report

        result = check(self.work, self.exercise)
        if not result.passed:
            raise Failed(report(result))

    def repr_failure(self, excinfo: Any, style: Any = None) -> Any:
        """Show the message and nothing else."""
        if isinstance(excinfo.value, Failed):
            from ..checking.message import styled

            return styled(str(excinfo.value), terminal=False)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int, str]:
        """Say where it stands: in the learner's file."""
        return self.work.file(self.exercise), 0, self.exercise.name


class Failed(Exception):
    """An exercise that does not pass, with the message for the learner."""
