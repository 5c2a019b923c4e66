"""What came of a call to a submission, made fit to be shown: everything in it is untrusted text."""

from __future__ import annotations

import signal
from dataclasses import dataclass
from typing import Any

from ..verdicts import Status
from .protocol import ProtocolError
from .submission import LONGEST

STATUSES = {"ok", *Status} - {Status.PASS, Status.NOT_RUN, Status.GRADER_ERROR}


@dataclass(frozen=True)
class Reply:
    """What came of a call: "ok" with a value, or why there is none."""

    status: str
    value: Any = None
    error: str = ""  # exception type, signal name or exit code
    message: str = ""
    line: tuple[int, str] | None = None  # the last line of the learner's file, number and text
    seconds: float = 0.0


def clean(text: Any, longest: int = LONGEST) -> str:
    """Make text from a submission fit to be shown: short, without control characters.

    >>> clean("a\\x1b[31mb\\nc")
    'a[31mb c'
    """
    text = str(text)[:longest].replace("\n", " ")
    return "".join(c for c in text if c.isprintable())


def reply_of(head: dict, value: Any = None, seconds: float = 0.0) -> Reply:
    """Make a reply of what the agent says. Raises ProtocolError if it says nothing sensible."""
    status, line = head.get("status"), head.get("line")
    if not isinstance(status, str) or status not in STATUSES:
        raise ProtocolError("a reply without a status")
    if isinstance(line, list) and len(line) == 2 and type(line[0]) is int:
        line = (line[0], clean(line[1], 200))
    else:
        line = None
    error, message = clean(head.get("error", ""), 80), clean(head.get("message", ""))
    return Reply(status, value if status == "ok" else None, error, message, line, seconds)


def autopsy(code: int | None) -> Reply:
    """Say of what a child died, by its exit code; None when it had to be ended."""
    if code is None:
        return Reply(Status.PROTOCOL, message="closed the line to the grader")
    if code >= 0:
        return Reply(Status.EXITED, error=str(code), message=f"ended Python with exit code {code}")
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    if name == "SIGXCPU":
        return Reply(Status.TIMEOUT, message="used up its processor time")
    return Reply(Status.CRASHED, error=name, message=f"crashed Python ({name})")
