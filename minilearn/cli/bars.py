"""A bar for work that is counted: pictures prepared, bytes that have arrived."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from ..data.download import Progress


@contextmanager
def counted(what: str) -> Iterator[Progress | None]:
    """Show a bar while something is counted; yields what to call as f(name, so far, in all).

    Only on a terminal: a file or a pipe gets no bar, and None is yielded.
    """
    if not sys.stdout.isatty():
        yield None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars

    columns = TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    with Bars(*columns, transient=True) as bars:
        task = bars.add_task(what, total=None)
        yield lambda name, done, total: bars.update(task, completed=done, total=total)
