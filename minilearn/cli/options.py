"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..xp import LIBRARIES

if TYPE_CHECKING:
    from ..grading.learn.work import Work


class DataName(StrEnum):
    """The data sets of digits."""

    auto = "auto"
    digits = "digits"
    mnist = "mnist"


class Model(StrEnum):
    """The lesson's nets."""

    basic = "basic"
    refactor = "refactor"
    resnet = "resnet"


DEVICES = [name for name in LIBRARIES if name != "array_api_strict"]


def check_device(name: str) -> str:
    """Refuse a device that does not exist."""
    if name not in DEVICES:
        raise typer.BadParameter(f"{name!r} is not one of {', '.join(DEVICES)}")
    return name


DataOption = Annotated[
    DataName, typer.Option("--data", help="auto: MNIST if it is here, else digits.")
]
ModelOption = Annotated[Model, typer.Option("--model", help="Which of the lesson's three nets.")]
BatchOption = Annotated[int | None, typer.Option("--bs", min=2, help="Batch size.")]
SeedOption = Annotated[int, typer.Option("--seed", min=0, help="All chance follows from it.")]
DeviceOption = Annotated[
    str, typer.Option("--device", callback=check_device, help=f"One of {', '.join(DEVICES)}.")
]
OutOption = Annotated[
    Path | None, typer.Option("--out", help="The run's folder (default: a new one in runs/).")
]
MineOption = Annotated[
    bool, typer.Option("--mine", help="Train with those of your own functions that pass.")
]
WorkOption = Annotated[
    Path | None, typer.Option("--work", help="Your course folder (default: here or above).")
]


def opened(folder: Path | None) -> Work:
    """Open the learner's folder."""
    try:
        from ..grading.learn.work import Work
    except ImportError as error:
        raise RuntimeError(f"the course needs {error.name}, which is not installed: "
                           "pip install 'minilearn[learn]'") from None
    return Work.find(folder)


@contextmanager
def taking_part(mine: bool, folder: Path | None, device: str) -> Iterator[list[str]]:
    """With `--mine`, put the learner's functions into the framework; yields their names."""
    if not mine:
        yield []
        return
    if device != "numpy":
        raise typer.BadParameter("--mine works on NumPy arrays only; leave --device at numpy")
    work = opened(folder)
    from ..grading.learn.own import in_use

    with in_use(work) as names:
        yield names
