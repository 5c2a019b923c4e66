"""`minilearn data ...`: what there is to train on."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Annotated

import typer

from ..data import available, cifar10, data_home, mnist, pets_masks, picture_sources
from .bars import counted

app = typer.Typer(help="Show the data sets, and fetch them.", no_args_is_help=True)


class Fetched(StrEnum):
    """The data sets that can be downloaded."""

    mnist = "mnist"
    pets = "pets"
    cifar10 = "cifar10"


FETCH: dict[str, Callable] = {"mnist": mnist, "pets": pets_masks, "cifar10": cifar10}


@app.callback()
def group() -> None:
    """Show the data sets, and fetch them."""


@app.command("list")
def list_() -> None:
    """List the data sets: what is here, where, how many images, how to get the rest."""
    for source in [*available(), *picture_sources()]:
        state = "here" if source.present else "missing"
        print(f"{source.name:8} {state:8} {source.images:>6} images  {source.where}")
        if not source.present:
            print(f"{'':8} {source.how}")


@app.command("get")
def get(name: Annotated[Fetched, typer.Argument(help="The data set to download.")]) -> None:
    """Download a data set, unless it is here; size and SHA-256 are checked."""
    with counted(f"Fetching {name.value}") as progress:
        FETCH[name.value](download=True, progress=progress)
    print(f"{name.value} is in {data_home() / name.value}.")
