"""`minilearn bench`: side by side with torch."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..bench import WORKLOADS, run

NAMES = ", ".join(WORKLOADS)


def bench(
    only: Annotated[list[str] | None, typer.Option(help=f"Some of: {NAMES}.")] = None,
    threads: Annotated[int, typer.Option(min=1, help="For each contestant.")] = 1,
    json: Annotated[Path | None, typer.Option(help="Write the measurements to this file.")] = None,
    rounds: Annotated[int, typer.Option(min=1, help="Bursts for each contestant.")] = 10,
    seconds: Annotated[float, typer.Option(min=0.01, help="Length of a burst.")] = 0.5,
) -> None:
    """Compare time and memory with torch: each in its own process, bursts by turns."""
    if unknown := set(only or ()) - set(WORKLOADS):
        raise typer.BadParameter(f"unknown {', '.join(unknown)}; there are {NAMES}")
    run(only or None, threads, json, rounds=rounds, seconds=seconds)
