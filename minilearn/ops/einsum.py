"""Einstein's summation: products of tensors whose dimensions are named by letters."""

from __future__ import annotations

import re
from collections import Counter
from types import EllipsisType

from ..errors import ShapeError, explain
from ..tensor import Tensor
from .diagonal import diagonal
from .matmul import product
from .shape import permute, reshape

Labels = list  # a letter for each dimension; dimensions under "..." are numbered instead
TERM = re.compile(r"[a-zA-Z]*(\.\.\.)?[a-zA-Z]*")


def einsum(equation, *operands) -> Tensor:
    """Multiply tensors along dimensions that share a letter; sum over letters not in the result.

    equation: the letters of each operand, and after "->" those of the result; without "->", those
    that occur once, in alphabetical order. "..." stands for further dimensions, which broadcast.
    Lists of numbers may follow each operand instead: `einsum(a, [0, 1], b, [1, 2], [0, 2])`.
    Raises ShapeError where the equation does not fit the operands.

    >>> einsum("ij,j->i", Tensor([[1.0, 2.0], [3.0, 4.0]]), Tensor([1.0, 10.0]))
    tensor([21., 43.])
    """
    equation, operands = _as_text(equation, operands)
    labels, output = _read(equation, operands)
    sizes = _sizes(equation, operands, labels)
    pieces = [_plain(x, ls, sizes) for x, ls in zip(operands, labels, strict=True)]
    x, at = pieces[0]
    for i, (other, there) in enumerate(pieces[1:], 2):
        needed = set(output).union(*(ls for _, ls in pieces[i:]))
        x, at = _summed(x, at, needed | set(there))
        other, there = _summed(other, there, needed | set(at))
        x, at = _pair(x, at, other, there, needed)
    x, at = _summed(x, at, set(output))
    return permute(x, dims=tuple(at.index(label) for label in output))


# ---------------------------------------------------------------- reading the equation


def _as_text(equation, operands) -> tuple[str, tuple[Tensor, ...]]:
    """Write the form with lists of numbers as an equation; take operands out of a list."""
    if isinstance(equation, Tensor):
        given = (equation, *operands)
        terms = [_letters(numbers) for numbers in given[1::2]]
        output = "->" + _letters(given[-1]) if len(given) % 2 else ""
        equation, operands = ",".join(terms) + output, given[: 2 * len(terms) : 2]
    elif len(operands) == 1 and isinstance(operands[0], tuple | list):
        operands = tuple(operands[0])
    if not isinstance(equation, str) or not operands \
            or not all(isinstance(x, Tensor) for x in operands):
        raise TypeError("einsum: expected an equation and Tensors, as in einsum('ij,j->i', a, b)")
    return equation, operands


def _letters(numbers) -> str:
    """Name dimensions 0 to 51 by the letters A to Z, a to z."""
    if not isinstance(numbers, tuple | list) or not all(
            isinstance(n, EllipsisType) or isinstance(n, int) and 0 <= n < 52 for n in numbers):
        raise ValueError(f"einsum: dimensions are named by numbers from 0 to 51, got {numbers!r}")
    return "".join("..." if n is ... else chr(n + (65 if n < 26 else 71)) for n in numbers)


def _read(equation: str, operands) -> tuple[list[Labels], Labels]:
    """Return the labels of each operand and those of the result."""
    left, arrow, right = equation.partition("->")
    terms = [term.replace(" ", "") for term in left.split(",")]
    right = right.replace(" ", "")
    if len(terms) != len(operands) or not all(map(TERM.fullmatch, [*terms, right])):
        raise _wrong(equation, operands, "needs letters (and at most one ...) for each operand")
    extra = [x.ndim - len(t.replace("...", "")) for x, t in zip(operands, terms, strict=True)]
    if any(n < 0 or n and "..." not in t for n, t in zip(extra, terms, strict=True)):
        raise _wrong(equation, operands, "needs a letter for each dimension")
    rest = max(extra)
    labels = [_expand(t, range(rest - n, rest)) for t, n in zip(terms, extra, strict=True)]
    counts = Counter(letter for term in terms for letter in term if letter != ".")
    if not arrow:
        right = "..." + "".join(sorted(letter for letter, n in counts.items() if n == 1))
    if {*right} - {*counts, "."} or len({*right} - {"."}) < len(right.replace("...", "")):
        raise _wrong(equation, operands, "the result must name letters of the operands, each once")
    return labels, _expand(right, range(rest))


def _expand(term: str, numbers) -> Labels:
    """List the labels of a term, with `numbers` in the place of "..."."""
    before, dots, after = term.partition("...")
    return [*before, *(numbers if dots else ()), *after]


def _sizes(equation, operands, labels) -> dict:
    """Find the size of each label; a size of 1 broadcasts."""
    sizes: dict = {}
    for x, ls in zip(operands, labels, strict=True):
        own: dict = {}
        for label, n in zip(ls, x.shape, strict=True):
            if own.setdefault(label, n) != n:
                raise _wrong(equation, operands, f"the sizes of {label!r} differ in one operand")
            if 1 not in (n, sizes.setdefault(label, n)) and sizes[label] != n:
                raise _wrong(equation, operands, f"{label!r} has sizes {sizes[label]} and {n}")
            sizes[label] = n if n != 1 else sizes[label]
    return sizes


def _wrong(equation, operands, problem) -> ShapeError:
    tensors = {f"operands[{i}]": x for i, x in enumerate(operands)}
    return ShapeError(explain("einsum", problem, {"equation": equation} | tensors))


# ---------------------------------------------------------------- the steps


def _plain(x: Tensor, labels: Labels, sizes: dict) -> tuple[Tensor, Labels]:
    """Bring an operand into a form in which all its labels differ and none broadcasts."""
    labels = list(labels)
    for label in [label for label, n in Counter(labels).items() if n > 1]:
        while labels.count(label) > 1:
            a = labels.index(label)
            b = labels.index(label, a + 1)
            x = diagonal(x, 0, a, b)
            labels = [*labels[:a], *labels[a + 1 : b], *labels[b + 1 :], label]
    kept = [i for i, label in enumerate(labels) if x.shape[i] == sizes[label]]
    return reshape(x, shape=tuple(x.shape[i] for i in kept)), [labels[i] for i in kept]


def _summed(x: Tensor, labels: Labels, needed: set) -> tuple[Tensor, Labels]:
    """Sum over the labels that nobody needs any more."""
    done = tuple(i for i, label in enumerate(labels) if label not in needed)
    return (x.sum(dim=done), [ls for ls in labels if ls in needed]) if done else (x, labels)


def _pair(a: Tensor, here: Labels, b: Tensor, there: Labels, needed: set) -> tuple[Tensor, Labels]:
    """Multiply two operands and sum over the labels that only these two have."""
    shared = [label for label in here if label in there]
    batch = [label for label in shared if label in needed]
    done = [label for label in shared if label not in needed]
    rows = [label for label in here if label not in shared]
    columns = [label for label in there if label not in shared]
    labels = [*batch, *rows, *columns]
    if not done:
        return _aligned(a, here, labels) * _aligned(b, there, labels), labels
    pairs = [(here.index(label), there.index(label)) for label in batch]
    left = ([here.index(label) for label in group] for group in (rows, done))
    right = ([there.index(label) for label in group] for group in (done, columns))
    return product(a, b, pairs, tuple(left), tuple(right)), labels


def _aligned(x: Tensor, labels: Labels, wanted: Labels) -> Tensor:
    """Put the dimensions into the wanted order, with 1 for those that are missing."""
    x = permute(x, dims=tuple(labels.index(label) for label in wanted if label in labels))
    sizes = iter(x.shape)
    return reshape(x, shape=tuple(next(sizes) if label in labels else 1 for label in wanted))
