"""How the cost of a training step grows with a batch's images, and with an image's pixels."""

from __future__ import annotations

import json
from collections.abc import Callable
from math import log
from pathlib import Path
from statistics import linear_regression
from typing import Any

from .. import viz
from ..files import write_whole
from . import report
from .coordinator import compare
from .workloads import SCALING


def scaling(
    out: str | Path, threads: int = 1, *, rounds: int = 5, seconds: float = 0.3,
    device: str = "numpy", echo: Callable[[str], Any] = print,
) -> list[dict[str, Any]]:
    """Time a small U-Net's step at growing sizes beside torch; draw and return the measurements.

    out: a folder for scaling.png and scaling.json. rounds, seconds: bursts, and how long one takes.
    Each row has `along` ("batch" or "pixels"), `size`, and what `compare` returns. The fastest step
    counts: sizes are not measured side by side, and it is the one that nothing has disturbed.
    """
    rows = []
    echo(report.HEADER)
    for along, sizes in SCALING.items():
        for size in sizes:
            row = compare(f"{along}={size}", threads, rounds, seconds, device=device)
            rows.append({"along": along, "size": size, **row})
            echo(report.line(row))
        echo(sentence(along, rows))
    folder = Path(out)
    viz.save(viz.scaling(rows), folder / "scaling.png")
    result = {"rows": rows, "machine": report.machine(), "threads": threads, "device": device}
    write_whole(folder / "scaling.json", (json.dumps(result, indent=2) + "\n").encode())
    return rows


def power(rows: list[dict[str, Any]], along: str) -> float:
    """Return by which power of the size the time grows, over the larger half of the sizes."""
    places = [(log(row["size"]), log(row["ours_best"])) for row in rows if row["along"] == along]
    return linear_regression(*zip(*places[len(places) // 2 :], strict=True)).slope


def sentence(along: str, rows: list[dict[str, Any]]) -> str:
    """Say how the time grows, in words."""
    own = [row for row in rows if row["along"] == along]
    first, last = own[len(own) // 2]["size"], own[-1]["size"]
    return (f"From {first:,} to {last:,} ({along}) the time grows with the power "
            f"{power(rows, along):.2f} of the size; 1 is linear.")
