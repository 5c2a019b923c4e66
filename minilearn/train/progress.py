"""What a person sees while a model trains: two bars, and a table that grows a row each epoch."""

from __future__ import annotations

from typing import Any

from .callbacks import Callback

MISSING = "#na#"  # as fast.ai writes a value that was not measured


class Progress(Callback):
    """Show a bar over the epochs, one over the batches with the smoothed loss, and the epoch table.

    console: a `rich.console.Console`; by default one that writes to standard output.
    bars: whether to draw them; by default only on a terminal. A file or a pipe gets plain rows.
    A resumed run begins with the rows of the epochs before.
    """

    def __init__(self, console: Any = None, *, bars: bool | None = None) -> None:
        self.console, self.bars = console, bars
        self.live: Any = None
        self.printed = 0  # rows of the history that have been shown

    def before_fit(self, learn: Any) -> None:
        if self.console is None:
            from rich.console import Console

            self.console = Console()
        history = learn.recorder.history
        self.table = EpochTable([getattr(f, "__name__", str(f)) for f in learn.metrics])
        self._say(self.table.header(), "bold")
        if len(history) < self.printed:  # an older checkpoint was loaded
            self.printed = 0
        for row in history[self.printed :]:
            self._row(row, "dim")
        if self._wants_bars() and learn.epoch < learn.epochs:
            self.live = Bars(self.console, learn.epoch, learn.epochs)
            self.live.start()

    def before_epoch(self, learn: Any) -> None:
        if self.live is not None:
            self.live.begin(learn.epoch, getattr(learn.train, "__len__", lambda: None)())

    def after_batch(self, learn: Any) -> None:
        if self.live is not None:
            self.live.advance(learn.epoch, learn.recorder.smoothed.value, learn.valid is not None)

    def after_epoch(self, learn: Any) -> None:
        self._row(learn.recorder.history[-1])

    def after_fit(self, learn: Any) -> None:
        if self.live is not None:
            self.live.stop()
            self.live = None

    def _wants_bars(self) -> bool:
        if self.bars is not None:
            return self.bars
        # rich takes FORCE_COLOR, which many CI machines set, for a terminal: ask the file itself.
        terminal = self.console.is_terminal and not self.console.is_dumb_terminal
        return terminal and getattr(self.console.file, "isatty", lambda: False)()

    def _row(self, row: dict[str, float], style: str | None = None) -> None:
        if self.table.extend(row):
            self._say(self.table.header(), "bold")
        self._say(self.table.row(row), style)
        self.printed += 1

    def _say(self, text: str, style: str | None = None) -> None:
        self.console.print(text, style=style, markup=False, highlight=False, soft_wrap=True)


class EpochTable:
    """Lines of text with aligned columns: epoch, losses, metrics, time.

    >>> table = EpochTable(["accuracy"])
    >>> print(table.header())
    epoch  train_loss  valid_loss    accuracy     time
    >>> print(table.row({"epoch": 1, "train_loss": 0.5, "accuracy": 0.975, "seconds": 62}))
        1    0.500000        #na#    0.975000     1:02
    """

    def __init__(self, metrics: list[str]) -> None:
        self.names = ["epoch", "train_loss", "valid_loss", *metrics, "seconds"]

    def extend(self, row: dict[str, float]) -> bool:
        """Make columns for values that have none yet, and say whether there were any."""
        new = [name for name in row if name not in self.names]
        self.names[-1:-1] = new
        return bool(new)

    def header(self) -> str:
        """Return the line of names."""
        return self._line(["time" if name == "seconds" else name for name in self.names])

    def row(self, row: dict[str, float]) -> str:
        """Return the line of one epoch."""
        return self._line([_cell(name, row.get(name)) for name in self.names])

    def _line(self, cells: list[str]) -> str:
        narrow = {"epoch": 5, "seconds": 7}  # the latter may be 1:02:05
        widths = [narrow.get(name) or max(10, len(name)) for name in self.names]
        return "  ".join(cell.rjust(width) for cell, width in zip(cells, widths, strict=True))


def _cell(name: str, value: float | None) -> str:
    if value is None:
        return MISSING
    if name == "epoch":
        return str(value)
    if name == "seconds":
        return clock(value)
    return f"{value:.6f}" if abs(value) < 100 else f"{value:.4g}"  # at most 10 characters


def clock(seconds: float) -> str:
    """Write a time as m:ss, or h:mm:ss from an hour on.

    >>> clock(62), clock(3725)
    ('1:02', '1:02:05')
    """
    minutes, second = divmod(round(seconds), 60)
    hours, minute = divmod(minutes, 60)
    return f"{hours}:{minute:02}:{second:02}" if hours else f"{minute}:{second:02}"


class Bars:
    """The two live bars, drawn by a thread of rich's five times a second."""

    def __init__(self, console: Any, epoch: int, epochs: int) -> None:
        from rich import progress as rich
        from rich.console import Group
        from rich.live import Live

        self.shown = rich.Progress(
            rich.TextColumn("{task.description}"),
            rich.BarColumn(30),
            rich.TextColumn("{task.fields[place]}"),
            rich.TimeRemainingColumn(compact=True),
            rich.TextColumn("left"),
            rich.TextColumn("{task.fields[comment]}", markup=False),
        )
        # The table stays, the bars go (transient). The cursor waits on an empty line under them:
        # after a full one, the ^C that a terminal prints would begin a line rich does not know of.
        self.live = Live(
            Group(self.shown, ""), console=console, transient=True, refresh_per_second=5
        )
        self.epochs = self.shown.add_task("epochs", total=epochs, completed=epoch,
                                          place=f"{epoch}/{epochs}", comment="")
        self.batches = self.shown.add_task("batches", total=None, place="", comment="")
        self.wanted, self.done = epochs, 0
        self.total: int | None = None

    def start(self) -> None:
        """Begin to draw."""
        self.live.start()

    def stop(self) -> None:
        """Take the bars away and give the cursor back."""
        self.live.stop()

    def begin(self, epoch: int, total: int | None) -> None:
        """Show the start of an epoch of `total` batches (None: not known)."""
        self.done, self.total = 0, total
        self.shown.update(self.epochs, completed=epoch, place=f"{epoch}/{self.wanted}")
        self.shown.reset(self.batches, total=total, place="", comment="")

    def advance(self, epoch: int, loss: float, validates: bool) -> None:
        """Show that one more batch is done, and the smoothed loss."""
        self.done += 1
        last = self.done == self.total
        comment = f"loss {loss:.4f}" + ("  validating" if last and validates else "")
        place = f"{self.done}/{self.total}" if self.total else f"{self.done}"
        self.shown.update(self.batches, completed=self.done, place=place, comment=comment)
        if self.total:  # the time left follows from parts of epochs too
            self.shown.update(self.epochs, completed=epoch + self.done / self.total)
