"""`minilearn bench`: side by side with torch and others."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..bench import WORKLOADS, profile, run, scaling
from ..bench.coordinator import RIVALS
from ..bench.workloads import DEVICES

NAMES, PEERS, ARRAYS = (", ".join(known) for known in (WORKLOADS, RIVALS, DEVICES))


def bench(
    only: Annotated[list[str] | None, typer.Option(help=f"Some of: {NAMES}.")] = None,
    threads: Annotated[int, typer.Option(min=1, help="For each contestant.")] = 1,
    json: Annotated[Path | None, typer.Option(help="Write the measurements to this file.")] = None,
    against: Annotated[str, typer.Option(help=f"Some of, with commas: {PEERS}.")] = "torch",
    device: Annotated[str, typer.Option(help=f"Our arrays, one of: {ARRAYS}.")] = "numpy",
    profiled: Annotated[
        str | None,
        typer.Option("--profile", metavar="WORKLOAD", help="Only show where its time goes."),
    ] = None,
    beside: Annotated[
        int | None, typer.Option(min=1, help="Repeat with so many threads, shown beside.")
    ] = None,
    grow: Annotated[
        bool, typer.Option("--scaling", help="Only draw how the cost grows with the size.")
    ] = False,
    out: Annotated[
        Path, typer.Option(help="The folder of --scaling's figure and measurements.")
    ] = Path("runs/speed"),
    record: Annotated[bool, typer.Option("--record", help="Add them to RESULTS.md.")] = False,
    rounds: Annotated[int, typer.Option(min=1, help="Bursts for each contestant.")] = 10,
    seconds: Annotated[float, typer.Option(min=0.01, help="Length of a burst.")] = 0.5,
) -> None:
    """Compare time and memory with torch: each in its own process, bursts by turns."""
    workloads = [name for given in only or () for name in given.split(",")]
    peers = [name.strip() for name in against.split(",")]
    known(workloads + ([profiled] if profiled else []), WORKLOADS, NAMES)
    known(peers, RIVALS, PEERS)
    known([device], DEVICES, ARRAYS)
    if profiled:
        profile(profiled, threads, device)
    elif grow:
        scaling(out, threads, device=device)
        print(f"The figure is {out / 'scaling.png'}, the measurements lie beside it.")
    else:
        run(workloads or None, threads, json, against=peers, device=device, rounds=rounds,
            seconds=seconds, beside=beside, record=record)


def known(given, names, listed: str) -> None:
    """Raise with the list of names for one that is not in it."""
    if unknown := set(given) - set(names):
        raise typer.BadParameter(f"unknown {', '.join(sorted(unknown))}; there are {listed}")
