"""`minilearn pretrain ...`: nets that others look through."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from ..recipes import RunError, VggSettings, pretrain_vgg
from ..train import Progress
from .options import BatchOption, DeviceOption, OutOption, SeedOption
from .train import HowToGoOn
from .workers import SyncNormOption, WorkersOption

app = typer.Typer(help="Train a net that others look through.", no_args_is_help=True)


class VggData(StrEnum):
    """What a small VGG can learn from."""

    auto = "auto"
    cifar10 = "cifar10"
    photos = "photos"


@app.callback()
def group() -> None:
    """Train a net that others look through."""


@app.command()
def vgg(
    data: Annotated[VggData, typer.Option(help="auto: CIFAR-10 if it is here, else photos.")]
    = VggData.auto,
    epochs: Annotated[int | None, typer.Option(min=1, help="Times through the data.")] = None,
    lr: Annotated[float | None, typer.Option(help="Largest learning rate of the cycle.")] = None,
    bs: BatchOption = None,
    seed: SeedOption = 1,
    device: DeviceOption = "numpy",
    quick: Annotated[bool, typer.Option("--quick", help="A quarter of the epochs.")] = False,
    out: OutOption = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in --out.")] = False,
    workers: WorkersOption = 1,
    sync_bn: SyncNormOption = False,
) -> None:
    """Train a small VGG for feature losses, where no weights trained on ImageNet can be had."""
    settings = VggSettings(data.value, epochs, lr, bs, seed, device, quick)
    if resume and out is None:
        raise RunError("--resume needs --out: which run shall go on?")
    folder, result = pretrain_vgg(settings, out, resume, callbacks=[Progress(), HowToGoOn()])
    print(f"\nFinal accuracy {result['accuracy']:.4f} on {result['data']} ({result['params']:,} "
          f"parameters, {result['epochs']} epochs, {result['seconds']:.0f} s, seed "
          f"{result['seed']}).\nThe run is in {folder.path}. Trainings with a feature loss take "
          f"the newest such run in runs/ where there are no weights trained on ImageNet.\n"
          f"Look at its losses and confusions: {folder.figures}")
