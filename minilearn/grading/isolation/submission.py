"""A learner's file as a module: loading it, calling into it, and saying what went wrong there.

Runs beside the submission, in its process; it trusts nothing that it returns to be true.
"""

from __future__ import annotations

import difflib
import linecache
import sys
import types
from collections.abc import Callable
from typing import Any

import numpy as np

LONGEST = 500  # characters of a message
FRAMES = 2000  # of a traceback that are looked at


def lines_of(text: str) -> list[str]:
    """Split a source as Python counts its lines: form feeds, unlike in `splitlines`, end none."""
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


class Submission:
    """One file, imported under a name of its own."""

    def __init__(self, source: bytes, file_name: str, name: str = "submission"):
        self.source, self.file_name = source, file_name
        self.text = ""
        self.module = types.ModuleType(name)
        self.drivers: dict[str, Callable] = {}

    def load(self) -> dict:
        """Import the file; return `{"status": "ok"}` or what stopped it."""
        try:
            self.text = self.source.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            return {"status": "unreadable", "message": f"not UTF-8 text (byte {error.start})"}
        lines = [line + "\n" for line in lines_of(self.text)]
        linecache.cache[self.file_name] = (len(self.text), None, lines, self.file_name)
        sys.modules[self.module.__name__] = self.module  # dataclasses look themselves up there
        try:
            code = compile(self.text, self.file_name, "exec", dont_inherit=True)
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            return self._unparsed(error)
        try:
            exec(code, self.module.__dict__)
        except BaseException as error:
            said = self.failure(error)
            return said | {"status": "import_error", "error": type(error).__name__}
        return {"status": "ok"}

    def _unparsed(self, error: Exception) -> dict:
        number = getattr(error, "lineno", None)
        message = getattr(error, "msg", None) or str(error) or "the file is nested too deeply"
        return {"status": "import_error", "error": type(error).__name__, "message": message,
                "line": [number, self._line(number)] if number else None}

    def forget(self) -> None:
        """Undo what loading has left in this process."""
        sys.modules.pop(self.module.__name__, None)
        linecache.cache.pop(self.file_name, None)

    def answer(self, function: str, args: tuple, kwargs: dict, driver: str | None) -> Any:
        """Call a function of the file, or the driver about it; exceptions are let through."""
        called = getattr(self.module, function)
        with np.errstate(all="ignore"):
            if driver is None:
                return called(*args, **kwargs)
            return self._driver(driver)(self.module, called, *args, **kwargs)

    def _driver(self, text: str) -> Callable:
        if text not in self.drivers:
            space: dict[str, Any] = {"np": np}
            exec(compile(text, "<driver>", "exec", dont_inherit=True), space)
            self.drivers[text] = space["drive"]
        return self.drivers[text]

    def missing(self, function: str) -> dict | None:
        """Say that there is no such function, and which name comes near; None if there is."""
        names = vars(self.module)
        if callable(names.get(function)):
            return None
        own = [n for n, v in names.items()
               if callable(v) and getattr(v, "__module__", None) == self.module.__name__]
        near = difflib.get_close_matches(function, own, 1, 0.6)
        message = f"{self.file_name} defines nothing called {function}"
        if function in names:
            message = f"{function} is neither a function nor a class"
        return {"status": "missing",
                "message": f"{message}; did you mean {near[0]}?" if near else message}

    def failure(self, error: BaseException) -> dict:
        """Say what an exception was, and on which line of the file."""
        statuses = {NotImplementedError: "not_implemented", MemoryError: "memory",
                    SystemExit: "exited"}
        status = next((s for kind, s in statuses.items() if isinstance(error, kind)), "exception")
        try:
            message = str(error)[:LONGEST]
        except BaseException:  # its __str__ is the submission's as well
            message = ""
        name = type(error).__name__
        return {"status": status, "message": message, "line": self._place(error),
                "error": message or "0" if status == "exited" else name}

    def _place(self, error: BaseException) -> list | None:
        """Return the number and the text of the last line in this file that was running."""
        step, number = error.__traceback__, None
        for _ in range(FRAMES):
            if step is None:
                break
            if step.tb_frame.f_code.co_filename == self.file_name:
                number = step.tb_lineno
            step = step.tb_next
        return [number, self._line(number)] if number else None

    def _line(self, number: int) -> str:
        lines = lines_of(self.text)
        return lines[number - 1].strip()[:200] if 0 < number <= len(lines) else ""
