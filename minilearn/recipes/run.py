"""What every training does around its loop: claim the folder, resume, train, write the result."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial
from typing import Any

from threadpoolctl import threadpool_limits

from .. import processes, viz
from ..optim import AdamW
from ..train import Callback, Checkpoint, CSVLog, Learner, StopOnNaN, load_checkpoint
from .folder import RunFolder

NOT_LAST = ("epoch", "train_loss", "seconds")  # columns that the result gives for all epochs
QUICK = 4  # --quick takes so many times fewer epochs

adam = partial(AdamW, betas=(0.9, 0.99), eps=1e-8, weight_decay=1e-2)  # fast.ai's defaults


def given(value: Any, default: Any) -> Any:
    """Return what the user has chosen, or the recipe's own."""
    return default if value is None else value


def carry_out(
    folder: RunFolder,
    settings: Any,
    resume: bool,
    build: Callable[[list[Callback]], Learner],
    draw: Callable[[Learner], dict[str, Any]],
    callbacks: Sequence[Callback] = (),
    say: Callable[[str], None] = print,
    measure: Callable[[Learner], dict[str, Any]] = lambda learn: {},
) -> dict[str, Any]:
    """Train as the settings say, and write the run folder; return the content of result.json.

    settings: a dataclass with `epochs`. build: makes the learner, with these callbacks first.
    draw: makes the figures, by name. callbacks: those that are told last, such as the schedule.
    measure: what else belongs into the result, by name.
    """
    resuming = folder.begin(asdict(settings), resume)
    if resuming and (result := folder.result()):
        say(f"{folder.path} is finished already; nothing is left to do.")
        return result
    learn = build([StopOnNaN(), CSVLog(folder.history), Checkpoint(folder.checkpoint)])
    if resuming:
        load_checkpoint(learn, folder.checkpoint)
        say(f"Going on after epoch {learn.epoch} of {settings.epochs}.")
    # Matrices this small gain nothing from a second BLAS thread, and lose a factor of ten to it
    # when another program uses the core; and one thread everywhere gives the same numbers.
    with threadpool_limits(1):
        learn.fit(settings.epochs, callbacks=callbacks)
        figures = draw(learn)
        result = summarize(learn, settings) | measure(learn)
    for name, figure in figures.items():
        viz.save(figure, folder.figures / f"{name}.png")
    folder.write_result(result)
    return result


def summarize(learn: Learner, settings: Any) -> dict[str, Any]:
    """Return what result.json holds: the final numbers and those of every epoch."""
    history = learn.recorder.history
    last = {name: value for name, value in history[-1].items() if name not in NOT_LAST}
    return {
        **last,
        "train_loss": [row["train_loss"] for row in history],
        "history": history,
        "params": sum(p.numel() for p in learn.model.parameters()),
        "seconds": sum(row["seconds"] for row in history),
        "workers": processes.world(),
        **asdict(settings),
    }
