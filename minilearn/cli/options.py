"""Options that several commands share."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from ..xp import LIBRARIES


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
