"""`minilearn predict`: which digit is this?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..recipes.digit_image import read_digit
from ..recipes.resnet import load_run
from ..train import predict as probabilities_of


def predict(
    run: Annotated[Path, typer.Argument(help="The folder of a finished run.")],
    images: Annotated[list[Path], typer.Argument(metavar="IMAGE...", help="PNG or JPEG files.")],
) -> None:
    """Print the digit that a trained net sees in each picture, and each class's probability."""
    model, normalize, _ = load_run(run)
    for path in images:
        probabilities = probabilities_of(model, normalize(read_digit(path)[None] / 255))[0].tolist()
        best = max(range(len(probabilities)), key=probabilities.__getitem__)
        print(f"{path}: {best}  ({probabilities[best]:.1%})")
        print("  " + "  ".join(f"{digit} {p:.3f}" for digit, p in enumerate(probabilities)))
