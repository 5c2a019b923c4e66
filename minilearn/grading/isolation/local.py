"""A submission in this process: for a debugger, and for versions that are our own."""

from __future__ import annotations

import warnings
from collections.abc import Collection
from itertools import count
from typing import Any

from ..verdicts import Status
from . import lint
from .protocol import REPLY, REQUEST, BadValue, Size, decode, encode
from .reply import Reply, clean, reply_of
from .submission import Submission


class Local:
    """The interface of `Child` without a child: nothing is limited or isolated."""

    names = count(1)

    def __init__(self, source: bytes, file_name: str, raising: bool = False):
        self.source, self.file_name, self.raising = source, file_name, raising
        self.submission = Submission(source, file_name, f"submission_{next(self.names)}")
        outcome = self.submission.load()
        self.failure = None if outcome["status"] == "ok" else reply_of(outcome)
        self.tier, self.output, self.truncated = 0, "", False
        self.flags: list[str] = []

    def __enter__(self) -> Local:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def call(self, function: str, args: tuple, kwargs: dict, driver: str | None = None) -> Reply:
        """Call as `Child.call` does; with `raising`, exceptions of the submission are let through.
        """
        if self.failure:
            return self.failure
        if missing := self.submission.missing(function):
            return reply_of(missing)
        args, kwargs = _travelled((tuple(args), dict(kwargs)))
        try:
            with warnings.catch_warnings(action="ignore"):
                value = self.submission.answer(function, args, kwargs, driver)
        except (Exception, SystemExit) as error:
            if self.raising:
                raise
            return reply_of(self.submission.failure(error))
        try:
            return Reply("ok", _travelled(value, REPLY))
        except BadValue as error:
            return Reply(Status.WRONG_TYPE, message=clean(error))

    def forbidden(self, function: str, names: Collection[str]) -> Reply:
        """Say whether a function uses one of the forbidden names, as `Child.forbidden` does."""
        found = lint.forbidden(lint.examine(self.source), function, names)
        return reply_of(found) if found else Reply("ok")

    def called(self, function: str) -> list[str]:
        """Name a function and everything in its file that it calls, as `Child.called` does."""
        return lint.called(lint.examine(self.source), function)

    def fresh(self) -> Local:
        """Return another one for the same source."""
        return Local(self.source, self.file_name, self.raising)

    def close(self) -> None:
        """Forget the module."""
        self.submission.forget()


def _travelled(value: Any, most: Size = REQUEST) -> Any:
    """Return a value as it comes out at the other end of a pipe. Raises BadValue."""
    return decode(encode({}, value, most))[1]
