"""Checks again whenever a file is saved, and goes on to the next exercise after a pass."""

from __future__ import annotations

import queue
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ...contracts import Exercise, catalogue
from ..checking.message import styled
from .learner import check, hint, listing, picture, report
from .work import Work, WorkError

KEYS = "h hint · l list · s status · r run again · n next · q quit"
PAUSE = 100  # milliseconds between two looks at files and keys


class Watch:
    """The current exercise, and what to do when a file is saved or a key is pressed."""

    def __init__(self, work: Work, show: Callable[[str], None] = print):
        self.work, self.show = work, show
        self.current: Exercise | None = work.next()
        self.texts = self._texts()

    def _texts(self) -> dict[str, bytes]:
        files = {self.work.file(e) for e in catalogue().values()}
        return {f.name: f.read_bytes() for f in files if f.is_file()}

    def begin(self) -> None:
        """Show where the learner is."""
        if self.current is None:
            self.show("\n".join(picture(self.work)))
        else:
            self.run()

    def run(self) -> None:
        """Check the current exercise, and show the verdict."""
        if self.current is None:
            return
        try:
            result = check(self.work, self.current)
        except WorkError as error:
            self.show(f"{error}\n\n{KEYS}")
            return
        text = report(result)
        if result.passed:
            self.current = self.work.next()
            text += "\n\n" + self._upcoming()
        self.show(f"{text}\n\n{KEYS}")

    def _upcoming(self) -> str:
        e = self.current
        if e is None:
            return "\n".join(picture(self.work))
        return f"Next: {e.name}, {e.title}: about {e.minutes} minutes, in {e.lesson}.py."

    def saved(self) -> bool:
        """Check again if the text of a file has changed: the exercise that was worked on."""
        before, self.texts = self.texts, self._texts()
        changed = [name for name in self.texts if self.texts[name] != before.get(name)]
        if not changed:
            return False
        self.current = self._worked_on(changed) or self.current
        self.run()
        return True

    def _worked_on(self, changed: list[str]) -> Exercise | None:
        """The exercise whose code is not the code that was checked last; the current one first."""
        touched = [e for e in catalogue().values() if f"{e.lesson}.py" in changed]
        edited = [e for e in touched if self.work.record(e).code not in ("", self.work.code(e))]
        if self.current in touched:
            return self.current if self.current in edited or not edited else edited[0]
        return (edited or [e for e in touched if not self.work.done(e)] or [None])[0]

    def pressed(self, key: str) -> bool:
        """Do what a key asks for; return False to end."""
        if key in ("q", "\x03", "\x04"):
            return False
        if key == "r":
            self.run()
        elif key == "h" and self.current:
            self.show(f"{self.current.name}\n{hint(self.work, self.current)}\n\n{KEYS}")
        elif key == "l":
            lesson = self.current.lesson if self.current else ""
            self.show("\n".join([*listing(self.work, lesson), "", KEYS]))
        elif key == "s":
            self.show("\n".join([*picture(self.work), "", KEYS]))
        elif key == "n":
            self._skip()
        return True

    def _skip(self) -> None:
        order = [e for e in catalogue().values() if e is self.current or not self.work.done(e)]
        if self.current in order:
            self.current = order[(order.index(self.current) + 1) % len(order)]
        self.run()


def watch(work: Work, poll: bool = False) -> None:
    """Watch the folder until `q` or Ctrl-C. `poll` looks at the files instead of being told."""
    import watchfiles

    session = Watch(work, on_a_clean_screen)
    with pressed_keys() as keys:
        session.begin()
        stop = threading.Event()
        for _ in watchfiles.watch(work.folder, watch_filter=only_python, debounce=PAUSE,
                                  step=PAUSE // 2, stop_event=stop, rust_timeout=PAUSE,
                                  yield_on_timeout=True, force_polling=poll or None,
                                  raise_interrupt=False):
            while not keys.empty():
                if not session.pressed(keys.get()):
                    return
            session.saved()


def only_python(change: object, path: str) -> bool:
    """Say whether a changed file may be an exercise."""
    return path.endswith(".py")


def on_a_clean_screen(text: str) -> None:
    """Clear the terminal, if it is one, and print."""
    terminal = sys.stdout.isatty()
    if terminal:
        print("\033[2J\033[3J\033[H", end="")
    print(styled(text, terminal), flush=True)


@contextmanager
def pressed_keys() -> Iterator[queue.SimpleQueue[str]]:
    """Collect the keys pressed in the terminal, without waiting for Enter where possible."""
    keys: queue.SimpleQueue[str] = queue.SimpleQueue()
    if not sys.stdin.isatty():
        yield keys
        return
    with _unbuffered():
        threading.Thread(target=_listen, args=(keys,), daemon=True).start()
        yield keys


def _listen(keys: queue.SimpleQueue[str]) -> None:
    while key := sys.stdin.read(1):
        keys.put(key)


@contextmanager
def _unbuffered() -> Iterator[None]:
    try:
        import termios
        import tty
    except ImportError:  # Windows: keys count after Enter
        yield
        return
    descriptor = sys.stdin.fileno()
    before = termios.tcgetattr(descriptor)
    try:
        tty.setcbreak(descriptor)
        yield
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)
