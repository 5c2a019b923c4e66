"""`minilearn data ...`: what there is to train on."""

from __future__ import annotations

import typer

from ..data import available

app = typer.Typer(help="Show the data sets.", no_args_is_help=True)


@app.callback()
def group() -> None:
    """Show the data sets."""


@app.command("list")
def list_() -> None:
    """List the data sets: what is here, where, how many images, how to get the rest."""
    for source in available():
        state = "here" if source.present else "missing"
        print(f"{source.name:8} {state:8} {source.images:>6} images  {source.where}")
        if not source.present:
            print(f"{'':8} {source.how}")
