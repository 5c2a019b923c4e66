"""The entry point: the table of commands, and how an error reaches the user."""

from __future__ import annotations

import sys
from importlib.metadata import version as installed_version

import typer

from ..data import DataError
from ..processes import DESERTED, PeerLost, supervised
from ..recipes import RunError
from ..train import Diverged
from . import (
    bench,
    data,
    degrade,
    language,
    learn,
    lr_find,
    pictures,
    predict,
    pretrain,
    teach,
    train,
)

HELP = "A deep-learning framework small enough to read in a weekend."
app = typer.Typer(help=HELP, no_args_is_help=True, pretty_exceptions_enable=False,
                  add_completion=False, context_settings={"help_option_names": ["-h", "--help"]})
train.app.command("numbers")(language.numbers)
train.app.command("text")(language.text)
train.app.command("superres")(pictures.superres)
train.app.command("colorize")(pictures.colorize)
train.app.command("segment")(pictures.segment)
train.app.command("style")(pictures.style)
app.add_typer(train.app, name="train")
app.add_typer(lr_find.app, name="lr-find")
app.add_typer(pretrain.app, name="pretrain")
app.add_typer(data.app, name="data")
app.add_typer(teach.app, name="teach")
app.command("predict")(predict.predict)
app.command("generate")(language.generate)
app.command("inspect")(language.inspect)
app.command("degrade")(degrade.degrade)
app.command("restore")(pictures.restore)
app.command("bench")(bench.bench)
for name, command in learn.COMMANDS.items():
    app.command(name, rich_help_panel="The course")(command)


@app.callback(invoke_without_command=True)
def root(version: bool = typer.Option(False, "--version", help="Print the version.")) -> None:
    """A deep-learning framework small enough to read in a weekend."""
    if version:
        print(f"minilearn {installed_version('minilearn')}")
        raise typer.Exit


def main(arguments: list[str] | None = None) -> int:
    """Run one command and return its exit status: 0, 1 (it failed, and said why) or 2 (misused)."""
    arguments = sys.argv[1:] if arguments is None else arguments
    try:
        return app(args=arguments, prog_name="minilearn", standalone_mode=False,
                   obj=arguments) or 0
    except typer.Exit as stop:
        return stop.exit_code
    except typer.Abort:
        return 130
    except PeerLost as error:
        if not supervised():  # else the process that started this one says it
            print(f"Error: {error}", file=sys.stderr)
        return DESERTED
    except (RunError, DataError, Diverged, ImportError, RuntimeError) as error:
        print(f"Error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)
        return 130
    except Exception as error:
        if not hasattr(error, "format_message"):  # not a usage error: a bug, shown whole
            raise
        error.show()
        return 2
