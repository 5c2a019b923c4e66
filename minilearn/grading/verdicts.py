"""The words for a verdict."""

from enum import StrEnum


class Status(StrEnum):
    """What became of a property, an exercise or a submission."""

    PASS = "pass"
    WRONG_VALUE = "wrong_value"
    WRONG_SHAPE = "wrong_shape"
    WRONG_TYPE = "wrong_type"
    NOT_IMPLEMENTED = "not_implemented"
    EXCEPTION = "exception"
    TIMEOUT = "timeout"
    MEMORY = "memory"
    CRASHED = "crashed"
    EXITED = "exited"
    NONDETERMINISTIC = "nondeterministic"
    FORBIDDEN = "forbidden"
    IMPORT_ERROR = "import_error"
    MISSING = "missing"
    UNREADABLE = "unreadable"
    PROTOCOL = "protocol"
    NOT_RUN = "not_run"
    GRADER_ERROR = "grader_error"


LASTING = (Status.IMPORT_ERROR, Status.MISSING, Status.FORBIDDEN)  # no input will change these
