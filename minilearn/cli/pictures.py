"""`minilearn train superres, colorize, segment, style` and `minilearn restore`: lesson 7."""

from __future__ import annotations

from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from ..recipes import RunError, RunFolder
from ..recipes.restoration import RestorationSettings, train_restoration
from ..recipes.restore import TILE, Restorer
from ..recipes.restore import restore as restore_files
from ..recipes.segment import SegmentSettings, train_segment
from ..recipes.style import StyleSettings, train_style
from ..train import Progress
from .bars import counted
from .options import (
    BatchOption,
    DeviceOption,
    MineOption,
    OutOption,
    SeedOption,
    WorkOption,
    taking_part,
)
from .train import HowToGoOn, program
from .workers import SyncNormOption, WorkersOption


class LossName(StrEnum):
    """What a restoration is judged by."""

    pixel = "pixel"
    feature = "feature"


class EncoderName(StrEnum):
    """The first half of a U-Net."""

    small = "small"
    resnet18 = "resnet18"
    resnet34 = "resnet34"


class Upsample(StrEnum):
    """How the style net makes images larger."""

    nearest = "nearest"
    transposed = "transposed"


LossOption = Annotated[
    LossName, typer.Option("--loss", help="pixel: MSE; feature: what a VGG sees.")
]
PicturesOption = Annotated[
    str, typer.Option("--data", help="auto, photos, bsds, pets, or a folder, zip or .txt list.")
]
SizeOption = Annotated[
    int | None, typer.Option("--size", min=32, help="Of the images, in pixels (128; ResNets 256).")
]
EncoderOption = Annotated[
    EncoderName, typer.Option("--encoder", help="small is for two cores.")
]
StartOption = Annotated[
    Path | None, typer.Option("--start", help="A run whose weights to begin with.")
]
EpochsOption = Annotated[
    int | None, typer.Option("--epochs", min=1, help="Times through the pictures, in all stages.")
]
LrOption = Annotated[float | None, typer.Option("--lr", help="Largest rate of the cycle.")]
QuickOption = Annotated[bool, typer.Option("--quick", help="Few pictures, few epochs.")]
ResumeOption = Annotated[bool, typer.Option("--resume", help="Go on with the run in --out.")]


def superres(
    loss: LossOption = LossName.pixel,
    data: PicturesOption = "auto",
    size: SizeOption = None,
    small: Annotated[
        int, typer.Option(min=8, help="Shorter side of the damaged pictures.")] = 96,
    quality: Annotated[int, typer.Option(min=1, max=100, help="Of their JPEG.")] = 60,
    number: Annotated[bool, typer.Option("--number", help="Write a white number on them.")] = False,
    encoder: EncoderOption = EncoderName.small,
    start: StartOption = None,
    epochs: EpochsOption = None,
    lr: LrOption = None,
    bs: BatchOption = None,
    seed: SeedOption = 1,
    device: DeviceOption = "numpy",
    quick: QuickOption = False,
    out: OutOption = None,
    resume: ResumeOption = False,
    mine: MineOption = False,
    work: WorkOption = None,
    workers: WorkersOption = 1,
    sync_bn: SyncNormOption = False,
) -> None:
    """Train a U-Net to enlarge small JPEG pictures and to mend them (lessons 07 and 08)."""
    settings = RestorationSettings(
        "superres", loss.value, data, size, small, quality, number, encoder.value,
        None if start is None else str(start), epochs, lr, bs, seed, device, quick)
    _restoration(settings, out, resume, mine, work)


def colorize(
    loss: LossOption = LossName.pixel,
    data: PicturesOption = "auto",
    size: SizeOption = None,
    encoder: EncoderOption = EncoderName.small,
    start: StartOption = None,
    epochs: EpochsOption = None,
    lr: LrOption = None,
    bs: BatchOption = None,
    seed: SeedOption = 1,
    device: DeviceOption = "numpy",
    quick: QuickOption = False,
    out: OutOption = None,
    resume: ResumeOption = False,
    mine: MineOption = False,
    work: WorkOption = None,
    workers: WorkersOption = 1,
    sync_bn: SyncNormOption = False,
) -> None:
    """Train a U-Net to give grey pictures their colours back."""
    settings = RestorationSettings(
        "colorize", loss.value, data, size, encoder=encoder.value,
        start=None if start is None else str(start), epochs=epochs, lr=lr, bs=bs, seed=seed,
        device=device, quick=quick)
    _restoration(settings, out, resume, mine, work)


def _restoration(
    settings: RestorationSettings, out: Path | None, resume: bool, mine: bool, work: Path | None
) -> None:
    need_out(resume, out)
    with taking_part(mine, work, settings.device) as names:
        settings.mine = names
        folder, result = train_restoration(settings, out, resume, [Progress(), HowToGoOn()],
                                           counting=partial(counted, "Damaging"))
    print(f"\n{restored_in_words(result)}\n{facts(result)}\n{where(folder)}\n"
          f"Try next:\n  {program()} restore {folder.path} PICTURE")


def segment(
    data: Annotated[
        str, typer.Option("--data", help="shapes (generated), pets, or a folder with images and "
                          "masks.")] = "auto",
    size: SizeOption = None,
    encoder: EncoderOption = EncoderName.small,
    skips: Annotated[
        bool, typer.Option("--skips/--no-skips", help="Hand across what the encoder saw.")] = True,
    epochs: EpochsOption = None,
    lr: LrOption = None,
    bs: BatchOption = None,
    seed: SeedOption = 1,
    device: DeviceOption = "numpy",
    quick: QuickOption = False,
    out: OutOption = None,
    resume: ResumeOption = False,
    mine: MineOption = False,
    work: WorkOption = None,
    workers: WorkersOption = 1,
    sync_bn: SyncNormOption = False,
) -> None:
    """Train a U-Net to say what each pixel belongs to (lesson 07)."""
    settings = SegmentSettings(data, size, encoder.value, skips, epochs, lr, bs, seed, device,
                               quick)
    need_out(resume, out)
    with taking_part(mine, work, device) as names:
        settings.mine = names
        folder, result = train_segment(settings, out, resume, [Progress(), HowToGoOn()])
    again = "train segment --no-skips    what the skips are worth\n" if skips else ""
    shares = ", ".join(f"{name} {share:.3f}" for name, share in result["class_iou"].items())
    print(f"\nFinal IoU {result['mean_iou']:.4f} ({shares}), pixels right "
          f"{result['pixel_accuracy']:.4f}.\n{facts(result)}\n{where(folder)}"
          + (f"\nTry next:\n  {program()} {again}" if again else ""))


def style(
    style: Annotated[Path, typer.Option("--style", help="The picture whose style is wanted.")],
    data: PicturesOption = "auto",
    size: Annotated[
        int | None, typer.Option("--size", min=64, help="Of the images, in pixels (128).")] = None,
    style_weight: Annotated[
        float | None, typer.Option(min=0, help="Of the style, against the content.")] = None,
    upsample: Annotated[
        Upsample, typer.Option(help="nearest leaves no checkerboard.")] = Upsample.nearest,
    epochs: EpochsOption = None,
    lr: LrOption = None,
    bs: BatchOption = None,
    seed: SeedOption = 1,
    device: DeviceOption = "numpy",
    quick: QuickOption = False,
    out: OutOption = None,
    resume: ResumeOption = False,
    mine: MineOption = False,
    work: WorkOption = None,
    workers: WorkersOption = 1,
    sync_bn: SyncNormOption = False,
) -> None:
    """Train a net to paint any picture in the style of one (lesson 08)."""
    settings = StyleSettings(str(style), "style", data, size, style_weight, upsample.value, epochs,
                             lr, bs, seed, device, quick)
    need_out(resume, out)
    with taking_part(mine, work, device) as names:
        settings.mine = names
        folder, result = train_style(settings, out, resume, [Progress(), HowToGoOn()])
    parts = ", ".join(f"{name} {result[name]:.3f}" for name in result["history"][-1]
                      if name.startswith(("content", "style_", "tv")))
    print(f"\nFinal loss {result['valid_loss']:.3f} ({parts}).\n{facts(result)}\n{where(folder)}\n"
          f"Try next:\n  {program()} restore {folder.path} PICTURE    paints it")


def restored_in_words(result: dict[str, Any]) -> str:
    """Say how good the restorations are, beside bicubic interpolation."""
    words = [f"PSNR {result['psnr']:.2f} dB, bicubic {result['bicubic_psnr']:.2f} dB",
             f"SSIM {result['ssim']:.4f}, bicubic {result['bicubic_ssim']:.4f}"]
    if "feature_distance" in result:
        words.append(f"feature distance {result['feature_distance']:.4f}, bicubic "
                     f"{result['bicubic_feature_distance']:.4f}")
    if "box_error_cut" in result:
        words.append(f"squared error where a number was: {result['box_error_cut']:.0%} less")
    return "On the validation pictures: " + "; ".join(words) + "."


def facts(result: dict[str, Any]) -> str:
    """Say how large the net was, and how long it took."""
    return (f"({result['params']:,} parameters, {result['epochs']} epochs, "
            f"{result['seconds']:.0f} s, seed {result['seed']})")


def where(folder: RunFolder) -> str:
    """Say what lies in a run's folder; of the strips the last is the one to look at."""
    figures = sorted(folder.figures.glob("*.png"))
    epochs = [path for path in figures if path.stem.startswith("epoch-")]
    others = [path for path in figures if path not in epochs]
    listed = "\n".join(f"  {path}" for path in [*epochs[-1:], *others])
    return (f"The run is in {folder.path}: result.json, history.csv, checkpoint.safetensors, and\n"
            f"{listed}")


def need_out(resume: bool, out: Path | None) -> None:
    """Refuse to resume nobody knows what."""
    if resume and out is None:
        raise RunError("--resume needs --out: which run shall go on?")


def restore(
    run: Annotated[Path, typer.Argument(help="A run of superres, colorize or style.")],
    images: Annotated[list[Path], typer.Argument(metavar="IMAGE...", help="Picture files.")],
    out: Annotated[Path, typer.Option(help="The folder that gets the pictures.")]
    = Path("restored"),
    scale: Annotated[
        float | None, typer.Option(help="Enlarge by this factor; default: as in training.")] = None,
    tile: Annotated[int, typer.Option(min=64, help="Pixels of a side computed at once.")] = TILE,
    device: DeviceOption = "numpy",
) -> None:
    """Restore pictures of any size with a trained net; the pictures themselves stay as they are."""
    try:
        restorer = Restorer(run, tile=tile, scale=scale, device=device)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    for file, target, before, after in restore_files(restorer, images, out):
        sizes = " -> ".join(f"{width} x {height}" for height, width in (before, after))
        print(f"{file}: {target}  ({sizes})")
