"""What can be wrong with a data set: missing, damaged, not to be downloaded."""

from __future__ import annotations

import importlib
from types import ModuleType


class DataError(Exception):
    """A data set cannot be had; the message names the file and says what to do."""


class MissingDataError(DataError, FileNotFoundError):
    """A file of a data set is not where it was looked for."""


class DamagedDataError(DataError, ValueError):
    """A file is truncated or corrupted, or is not what its name says."""


class DownloadError(DataError, OSError):
    """No mirror delivered the file whole and right."""


class TextError(DataError, ValueError):
    """A text is too short for what is asked of it."""


def needed(module: str, package: str, purpose: str) -> ModuleType:
    """Import a module late, or say in one sentence which package is missing and how to install it.

    Raises ModuleNotFoundError naming the purpose, the package and the command.

    >>> needed("math", "python", "counting").floor(2.5)
    2
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            f"{purpose} needs the package {package}, which is not installed: pip install {package}",
            name=module,
        ) from error
