"""`minilearn lr-find ...`: the learning-rate finder."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .. import viz
from ..recipes import ResnetSettings, find_lr_resnet
from .options import (
    BatchOption,
    DataName,
    DataOption,
    DeviceOption,
    MineOption,
    Model,
    ModelOption,
    SeedOption,
    WorkOption,
    taking_part,
)

app = typer.Typer(help="Find a learning rate.", no_args_is_help=True)


@app.callback()
def group() -> None:
    """Find a learning rate."""


@app.command()
def resnet(
    data: DataOption = DataName.auto,
    model: ModelOption = Model.resnet,
    bs: BatchOption = None,
    seed: SeedOption = 1,
    device: DeviceOption = "numpy",
    end: Annotated[float, typer.Option(help="The largest rate to try.")] = 100.0,
    steps: Annotated[int, typer.Option(min=20, help="How many rates to try.")] = 100,
    out: Annotated[Path, typer.Option(help="Where the figure goes.")] = Path("runs/lr-find.png"),
    mine: MineOption = False,
    work: WorkOption = None,
) -> None:
    """Try rates from 1e-7 up, one batch each, on one of the lesson's nets."""
    settings = ResnetSettings(data.value, model.value, bs=bs, seed=seed, device=device)
    with taking_part(mine, work, device):
        found = find_lr_resnet(settings, end, steps)
    viz.save(viz.lr_finder(found), out)
    print(f"Tried {len(found.lrs)} rates from {found.lrs[0]:.1e} to {found.lrs[-1]:.1e}.")
    print(f"The loss falls fastest at {found.steepest:.2e}; "
          f"a tenth of the rate with the smallest loss is {found.minimum_tenth:.2e}.")
    print(f"The curve is in {out}.")
