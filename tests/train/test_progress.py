"""What is shown while training: rows as text, bars on a terminal, a clean screen after Ctrl-C."""

import io
import re
import subprocess
import sys
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from minilearn.train import Callback, Progress, Recorder, Smoothed
from minilearn.train.progress import EpochTable, clock


class Run:
    """A Learner without a model: it tells its callbacks of events, with losses made up."""

    def __init__(self, progress, epochs=3, results=({"valid_loss": 0.25, "accuracy": 0.975},)):
        self.recorder, self.epochs, self.epoch, self.iteration = Recorder(), epochs, 0, 0
        self.callbacks, self.train, self.valid = [self.recorder, progress], range(5), results[0]
        self.metrics = [SimpleNamespace(__name__="accuracy")]
        self.optimizer = SimpleNamespace(param_groups=[{"lr": 0.1}])
        self.all_results = results

    def tell(self, event):
        for callback in self.callbacks:
            getattr(callback, event)(self)

    def fit(self):
        try:
            self.tell("before_fit")
            while self.epoch < self.epochs:
                self.run_epoch()
        finally:
            self.tell("after_fit")

    def run_epoch(self):
        self.tell("before_epoch")
        for _ in self.train:
            value = 1 / (1 + self.iteration)
            self.loss = SimpleNamespace(item=lambda value=value: value)
            self.iteration += 1
            self.tell("after_batch")
        self.results = self.all_results[min(self.epoch, len(self.all_results) - 1)]
        self.epoch += 1
        self.tell("after_epoch")


class On(Callback):
    """A callback for one event: On(after_batch=function)."""

    def __init__(self, **events):
        for event, function in events.items():
            setattr(self, event, function)


def plain():
    """A console that writes to a file."""
    return Console(file=io.StringIO(), width=40)


def text(console):
    return console.file.getvalue()


def shown(value):
    """The smoothed loss of the first `value` batches, as a row shows it."""
    smoothed = Smoothed()
    return f"{[smoothed.add(1 / (1 + i)) for i in range(value)][-1]:.6f}"


HEADER = "epoch  train_loss  valid_loss    accuracy     time"


def test_a_file_gets_aligned_rows_and_nothing_else():
    console = plain()
    Run(Progress(console)).fit()
    rows = [f"    {e}    {shown(5 * e)}    0.250000    0.975000     0:00" for e in (1, 2, 3)]
    assert text(console).splitlines() == [HEADER, *rows]


def test_rows_appear_as_they_grow():
    console = plain()
    run, lengths = Run(Progress(console)), []
    count = lambda learn: lengths.append(len(text(console).splitlines()))  # noqa: E731
    run.callbacks.append(On(after_epoch=count))
    run.fit()
    assert lengths == [2, 3, 4]


def test_a_resumed_run_shows_the_earlier_rows_first():
    console = plain()
    run = Run(Progress(console))
    early = {"epoch": 1, "train_loss": 0.5, "valid_loss": 2.0, "accuracy": 0.1, "seconds": 3725}
    run.recorder.history, run.epoch = [early], 1
    run.fit()
    lines = text(console).splitlines()
    assert lines[:2] == [HEADER, "    1    0.500000    2.000000    0.100000  1:02:05"]
    assert [int(line.split()[0]) for line in lines[1:]] == [1, 2, 3]


def test_training_on_shows_no_row_twice():
    console = plain()
    run = Run(Progress(console), epochs=1)
    run.fit()
    run.epochs = 2
    run.fit()
    firsts = [line.split()[0] for line in text(console).splitlines()]
    assert firsts == ["epoch", "1", "epoch", "2"]
    run.recorder.history = run.recorder.history[:1]  # back to an older checkpoint
    run.epoch = 1
    run.fit()
    firsts = [line.split()[0] for line in text(console).splitlines()]
    assert firsts[4:] == ["epoch", "1", "2"]


def test_values_that_are_missing_or_new():
    console = plain()
    Run(Progress(console), epochs=2, results=({}, {"critic_loss": 4.0})).fit()
    first, row, second, last = text(console).splitlines()
    assert first == HEADER and row.split()[2:4] == ["#na#", "#na#"]
    assert second.split()[3:] == ["accuracy", "critic_loss", "time"]
    assert last.split()[4] == "4.000000"


VALUES = st.one_of(st.none(), st.floats(width=32), st.floats(-2e5, 2e5))


@given(st.lists(st.sampled_from(["accuracy", "a", "a_rather_long_metric"]), unique=True),
       st.lists(VALUES, min_size=5, max_size=5))
def test_columns_stay_aligned(metrics, values):
    table = EpochTable(metrics)
    names = ["train_loss", "valid_loss", *metrics]
    pairs = zip(names, values, strict=False)
    line = table.row({"epoch": 12, "seconds": 3599.9} | {n: v for n, v in pairs if v is not None})
    ends = [match.end() for match in re.finditer(r"\S+", table.header())]
    assert [match.end() for match in re.finditer(r"\S+", line)] == ends


@given(st.floats(0, 1e6))
def test_clock_says_the_time_to_half_a_second(seconds):
    *hours, minutes, second = map(int, clock(seconds).split(":"))
    assert abs(sum(hours) * 3600 + minutes * 60 + second - seconds) <= 0.5
    assert second < 60 and (minutes < 60 or not hours) and (hours or minutes < 60)


# ---------------------------------------------------------------- bars


def screen(stream, width):
    """The lines a terminal of this width shows after receiving a stream of characters."""
    lines, row, column = [[]], 0, 0
    for code, final, char in re.findall(r"\x1b\[([?\d;]*)([A-Za-z])|(.|\n)", stream):
        if final == "A":
            row -= int(code or 1)
        elif final == "K":
            lines[row] = []
        elif char == "\r":
            column = 0
        elif char:
            if char == "\n" or column == width:
                row, column = row + 1, 0
                lines += [[]] if row == len(lines) else []
            if char != "\n":
                lines[row] += [" "] * (column + 1 - len(lines[row]))
                lines[row][column], column = char, column + 1
    return [line for line in ("".join(cells).rstrip() for cells in lines) if line]


def terminal(width):
    return Console(file=io.StringIO(), force_terminal=True, width=width, height=30, _environ={})


def test_bars_are_drawn_on_a_terminal_and_vanish():
    console = terminal(100)
    progress = Progress(console, bars=True)
    run, seen = Run(progress), []

    def after_batch(learn):
        progress.live.live.refresh()
        seen.append(screen(text(console), 100)[-2:])

    run.callbacks.append(On(after_batch=after_batch))
    run.fit()
    epochs, batches = seen[7]  # the third batch of the second epoch
    assert epochs.startswith("epochs ") and " 1/3 " in epochs and epochs.endswith("left")
    assert batches.startswith("batches ") and " 3/5 " in batches
    assert batches.endswith(f"loss {float(shown(8)):.4f}")
    assert seen[4][1].endswith("validating")
    lines = screen(text(console), 100)
    assert [line.split()[0] for line in lines] == ["epoch", "1", "2", "3"]
    assert text(console).rindex("\x1b[?25h") > text(console).rindex("\x1b[?25l")  # cursor is back


@pytest.mark.parametrize("width", [40, 50, 80])
def test_nothing_is_garbled_after_ctrl_c(width):
    console = terminal(width)
    progress = Progress(console, bars=True)
    run = Run(progress)

    def ctrl_c(learn):
        if learn.iteration == 7:
            progress.live.live.refresh()
            console.file.write("^C")  # what the terminal itself prints
            raise KeyboardInterrupt

    run.callbacks.append(On(after_batch=ctrl_c))
    with pytest.raises(KeyboardInterrupt):
        run.fit()
    assert progress.live is None
    together = "".join(screen(text(console), width))
    assert "^C" not in together and "━" not in together and "batches" not in together
    assert text(console).rindex("\x1b[?25h") > text(console).rindex("\x1b[?25l")


def test_a_file_gets_no_bars_whatever_the_environment_says(monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")  # rich then says of a file that it is a terminal
    console = Console(file=io.StringIO())
    assert console.is_terminal
    Run(Progress(console)).fit()
    assert "━" not in text(console) and "\x1b[?25l" not in text(console)


def test_an_error_before_the_start_is_not_hidden():
    Progress(plain()).after_fit(None)  # told even when another callback's before_fit has failed


def test_a_loader_without_a_length_still_has_a_count():
    console = terminal(100)
    progress = Progress(console, bars=True)
    run = Run(progress, epochs=1)
    run.train = (i for i in range(3))
    run.fit()
    assert [line.split()[0] for line in screen(text(console), 100)] == ["epoch", "1"]


def test_importing_loads_neither_rich_nor_matplotlib():
    code = ("import sys, minilearn.train, minilearn.viz;"
            "print(*[m for m in ('rich', 'matplotlib', 'torch') if m in sys.modules])")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and done.stdout.split() == [], done.stderr + done.stdout
