"""Pairs of submissions with much code in common: a reason to look, never a verdict.

The code is cut into tokens, names and numbers are made equal, and every run of tokens is a
fingerprint. What the starter holds, or most of the class, does not count.
"""

from __future__ import annotations

import io
import keyword
import tokenize
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

from .batch import source_of, sources
from .intake import take_in
from .release import starters
from .store import GradingError, write

RUN = 16  # tokens of a fingerprint
FEWEST = 20  # fingerprints of a file that can be compared
COMMON = 0.5  # of the class: what so many have in common is the exercise's, not a student's
CLASS = 8  # submissions, from which on that can be told
SKIPPED = {tokenize.COMMENT, tokenize.NL, tokenize.ENCODING, tokenize.ENDMARKER}


@dataclass(frozen=True)
class Pair:
    """Two students, and the share of the smaller one's code that both have."""

    one: str
    other: str
    share: float
    files: tuple[str, ...]  # those that hold most of it


def fingerprints(source: str) -> set[tuple[str, ...]]:
    """Return every run of tokens of a source; none if it is not Python.

    >>> fingerprints("a = b + 1 # sum") == fingerprints("x = y + 2")
    True
    """
    try:
        tokens = list(_tokens(source))
    except (tokenize.TokenError, SyntaxError, ValueError):
        return set()
    length = min(RUN, len(tokens))
    return {tuple(tokens[i : i + length]) for i in range(len(tokens) - length + 1)}


def _tokens(source: str) -> Iterator[str]:
    start = True  # of a statement: a string there is a docstring
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type in SKIPPED or (start and token.type == tokenize.STRING):
            continue
        start = token.type in (tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT)
        if token.type == tokenize.NAME and not keyword.iskeyword(token.string):
            yield "name"
        elif token.type == tokenize.OP or token.type == tokenize.NAME:
            yield token.string
        else:
            yield tokenize.tok_name[token.type]


def similar(folder: Path, least: float = 0.5) -> list[Pair]:
    """Return the pairs of submissions that share at least so much, the closest first."""
    blank = {name: fingerprints(text) for name, text in starters().items()}
    own = {student: {name: fingerprints(text) - blank.get(name, set())
                     for name, text in files.items()}
           for student, files in _texts(folder).items()}
    own = _without_common(own)
    pairs = [_pair(a, b, own[a], own[b]) for a, b in combinations(sorted(own), 2)]
    return sorted((p for p in pairs if p and p.share >= least),
                  key=lambda p: (-p.share, p.one, p.other))


def _texts(folder: Path) -> dict[str, dict[str, str]]:
    if not folder.is_dir():
        raise GradingError(f"{folder} is no folder; name the one with the submissions")
    found, _ = sources(folder)
    return {student: {name: content.decode("utf-8-sig") for name, content
                      in take_in(source_of(paths[0])).files.items()}
            for student, paths in found.items()}


def _without_common(own: dict[str, dict[str, set]]) -> dict[str, dict[str, set]]:
    if len(own) < CLASS:
        return own
    counts: Counter = Counter(f for files in own.values() for prints in files.values()
                              for f in prints)
    most = COMMON * len(own)
    return {student: {name: {f for f in prints if counts[f] <= most}
                      for name, prints in files.items()} for student, files in own.items()}


def _pair(one: str, other: str, a: dict[str, set], b: dict[str, set]) -> Pair | None:
    shared = {name: len(a[name] & b[name]) for name in a.keys() & b.keys()}
    sizes = [sum(map(len, files.values())) for files in (a, b)]
    if min(sizes) < FEWEST or not any(shared.values()):
        return None
    most = sorted((name for name in shared if shared[name]), key=lambda n: (-shared[n], n))
    return Pair(one, other, min(1.0, sum(shared.values()) / min(sizes)), tuple(most[:3]))


def table(pairs: list[Pair]) -> str:
    """Write the pairs for a terminal."""
    if not pairs:
        return "No two submissions are so much alike."
    lines = [f"{100 * p.share:4.0f} %  {p.one}  {p.other}   {', '.join(p.files)}" for p in pairs]
    return "\n".join(["Code in common that is not the starter's. Look before you judge:", *lines])


def lay_out(folder: Path, out: Path) -> int:
    """Copy the files as MOSS, JPlag and Dolos expect them: a folder each, the starter in `base`."""
    texts = _texts(folder)
    for name, text in starters().items():
        write(out / "base" / name, text.encode())
    for student, files in texts.items():
        for name, text in files.items():
            write(out / "submissions" / student / name, text.encode())
    return len(texts)
