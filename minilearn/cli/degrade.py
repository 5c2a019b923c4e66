"""`minilearn degrade`: make pictures worse, as a restoration net is shown them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..data import degradation
from ..data.pictures.sources import reasons
from ..recipes.degrade import degrade_folder
from .bars import counted


def degrade(
    folder: Annotated[Path, typer.Argument(help="A folder, a zip or a .txt list of pictures.")],
    out: Annotated[Path, typer.Option("--out", help="The new folder that gets the pictures.")],
    size: Annotated[int, typer.Option(min=0, help="Shorter side in pixels; 0 keeps it.")] = 96,
    quality: Annotated[
        int | None, typer.Option(min=0, max=100, help="Of JPEG, 1 to 100; 0 leaves JPEG out. "
                                 "Without it 60, or the number that --number writes.")] = None,
    number: Annotated[bool, typer.Option("--number", help="Write a white number, 10-70.")] = False,
    text: Annotated[str | None, typer.Option(help="Write a text in white, as watermarks.")] = None,
    grey: Annotated[bool, typer.Option("--grey", help="Take the colour away.")] = False,
    holes: Annotated[int, typer.Option(min=0, help="Cut so many holes.")] = 0,
    noise: Annotated[float, typer.Option(min=0, max=1, help="Noise, of the range to white.")] = 0.0,
    seed: Annotated[int, typer.Option(min=0, help="All chance follows from it.")] = 42,
    workers: Annotated[int, typer.Option(min=0, help="Processes that help.")] = 0,
) -> None:
    """Write damaged copies of pictures into a new folder; the pictures stay as they are."""
    if quality is None and not number:
        quality = 60
    try:
        damage = degradation(size=size, quality=quality, number=number, text=text, grey=grey,
                             holes=holes, noise=noise)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    with counted("Degrading") as progress:
        written, skipped = degrade_folder(folder, out, damage, seed=seed, workers=workers,
                                          progress=progress)
    print(f"{len(written)} pictures are in {out}: {', '.join(map(repr, damage.steps))}.")
    if skipped:
        print(f"Left out, {len(skipped)} in all:")
        print("\n".join(f"  {line}" for line in reasons(skipped)))
