"""`minilearn train ...`: the lessons' trainings."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import Annotated

import typer

from ..processes import PeerLost
from ..recipes import ResnetSettings, RunError, RunFolder, train_resnet
from ..train import Callback, Progress
from .options import (
    BatchOption,
    DataName,
    DataOption,
    DeviceOption,
    MineOption,
    Model,
    ModelOption,
    OutOption,
    SeedOption,
    WorkOption,
    taking_part,
)
from .workers import SyncNormOption, WorkersOption

app = typer.Typer(help="Train a model of the lessons.", no_args_is_help=True)


@app.callback()
def group() -> None:
    """Train a model of the lessons."""


@app.command()
def resnet(
    data: DataOption = DataName.auto,
    model: ModelOption = Model.resnet,
    epochs: Annotated[int | None, typer.Option(min=1, help="Times through the data.")] = None,
    lr: Annotated[float | None, typer.Option(help="Largest learning rate of the cycle.")] = None,
    bs: BatchOption = None,
    seed: SeedOption = 1,
    device: DeviceOption = "numpy",
    quick: Annotated[bool, typer.Option("--quick", help="A quarter of the epochs.")] = False,
    out: OutOption = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in --out.")] = False,
    mine: MineOption = False,
    work: WorkOption = None,
    workers: WorkersOption = 1,
    sync_bn: SyncNormOption = False,
) -> None:
    """Train one of the lesson's nets on handwritten digits (lesson 05)."""
    settings = ResnetSettings(data.value, model.value, epochs, lr, bs, seed, device, quick)
    if resume and out is None:
        raise RunError("--resume needs --out: which run shall go on?")
    with taking_part(mine, work, device) as names:
        settings.mine = names
        folder, result = train_resnet(settings, out, resume, callbacks=[Progress(), HowToGoOn()])
    print(f"\nFinal accuracy {result['accuracy']:.4f} ({result['params']:,} parameters, "
          f"{result['epochs']} epochs, {result['seconds']:.0f} s, seed {result['seed']}).")
    if names:
        print(beside(folder, result))
    print(what_next(folder))


def beside(folder: RunFolder, result: dict) -> str:
    """Compare a run with the learner's functions to the framework's own of the same settings."""
    name = f"{result['model']}-{result['data']}"
    for other in sorted(folder.path.parent.glob("*/result.json"), reverse=True):
        own = RunFolder(other.parent).result()
        same = all(own.get(k) == result[k] for k in ("data", "model", "epochs", "lr", "bs", "seed"))
        if same and not own.get("mine"):
            return (f"With {len(result['mine'])} functions of yours: {result['accuracy']:.4f} in "
                    f"{result['seconds']:.0f} s. The framework's own, in {other.parent}: "
                    f"{own['accuracy']:.4f} in {own['seconds']:.0f} s.")
    return (f"With {len(result['mine'])} functions of yours. The same command without --mine shows "
            f"what the framework's own reach ({name}).")


class HowToGoOn(Callback):
    """After Ctrl-C, or when another worker is lost, say what is kept and how to go on."""

    def on_error(self, learn, error):
        """Tell where the last checkpoint is."""
        if isinstance(error, KeyboardInterrupt | PeerLost):
            checkpoint = next(c for c in learn.callbacks if hasattr(c, "path") and c.path.suffix
                              == ".safetensors").path
            print(f"\nInterrupted in epoch {learn.epoch + 1} of {learn.epochs}.")
            if learn.epoch:
                print(f"Epochs 1 to {learn.epoch} are kept in {checkpoint.parent}. Go on with the "
                      f"same command and: --resume --out {checkpoint.parent}")


def what_next(folder: RunFolder) -> str:
    """Say where everything is, and what to try."""
    pictures = "\n".join(f"  {path}" for path in sorted(folder.figures.glob("*.png")))
    command = program()
    return (f"The run is in {folder.path}: result.json, history.csv, checkpoint.safetensors, and\n"
            f"{pictures}\n"
            "Try next:\n"
            f"  {command} predict {folder.path} IMAGE    a PNG or JPEG of a digit\n"
            f"  {command} train resnet --model basic    the same without residual blocks\n"
            f"  {command} lr-find resnet    why this learning rate\n"
            f"  {command} data list    where the full MNIST would go\n")


def program() -> str:
    """Return how the user can call this program: its name, or its path where that is not enough."""
    if shutil.which("minilearn"):
        return "minilearn"
    beside = Path(sys.executable).with_name("minilearn")
    return os.path.relpath(beside) if beside.exists() else "python -m minilearn"
