"""The commands: `minilearn ...` or `python -m minilearn ...`. They parse, call and print."""

from .main import main

__all__ = ["main"]
