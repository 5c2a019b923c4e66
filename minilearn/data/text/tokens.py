"""From text to tokens and back: words, punctuation, and marks for what lower case would lose."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator

from ...slots import Slot

# unknown word, padding, beginning of a document, field, Capitalised, ALL CAPS, repeated character,
# repeated word: the first ids of every vocabulary, in this order.
SPECIALS = ("xxunk", "xxpad", "xxbos", "xxfld", "xxmaj", "xxup", "xxrep", "xxwrep")
UNK, PAD, BOS, FLD, MAJ, UP, REP, WREP = SPECIALS

REPEATED_CHARACTER = re.compile(r"(\S)\1{3,}")
REPEATED_WORD = re.compile(r"\b(\w+)(?:\W+\1\b){3,}")
TOKEN = re.compile(r"\w+(?:['’]\w+)*|[^\w\s]")


@Slot
def tokenize(text: str, *, begin: bool = True) -> list[str]:
    """Split a text into tokens, with the course's rules.

    HTML escapes are undone; four or more equal characters become `xxrep n c`, four or more equal
    words `xxwrep n word`; then words and punctuation are split ("don't" stays whole, / and # stand
    alone, white space of any kind only separates); `xxup` is put before an ALL-CAPS word, `xxmaj`
    before a Capitalised one, and all is lower case. begin: put `xxbos` in front, as before every
    document; False for a text that goes on.
    Source: fast.ai's Tokenizer with spaCy, whose splitting differs in contractions.

    >>> tokenize("Nooooo, NOT one/two!")
    ['xxbos', 'n', 'xxrep', '5', 'o', ',', 'xxup', 'not', 'one', '/', 'two', '!']
    """
    text = html.unescape(text)
    text = REPEATED_CHARACTER.sub(lambda m: f" {REP} {len(m[0])} {m[1]} ", text)
    text = REPEATED_WORD.sub(lambda m: f" {WREP} {_times(m)} {m[1]} ", text)
    tokens = [token for word in TOKEN.findall(text) for token in mark_case(word)]
    return [BOS, *tokens] if begin else tokens


def _times(match: re.Match) -> int:
    return len(re.findall(rf"\b{re.escape(match[1])}\b", match[0]))


def mark_case(word: str) -> list[str]:
    """Return a word in lower case, with the mark of its capitals in front.

    A single letter carries no mark: "I" and "A" are capitals by custom.

    >>> mark_case("Paris"), mark_case("NASA"), mark_case("I"), mark_case("iPhone")
    (['xxmaj', 'paris'], ['xxup', 'nasa'], ['i'], ['iphone'])
    """
    if len(word) > 1 and word.isupper():
        return [UP, word.lower()]
    if word[0].isupper() and word[1:].islower():
        return [MAJ, word.lower()]
    return [word.lower()]


def readable(tokens: Iterable[str]) -> str:
    """Return tokens as people write: marks applied, punctuation closed up.

    The inverse of `tokenize` as far as there is one; a model's output need not make sense.

    >>> readable(tokenize("Well, this plan (no 2) WORKS!!!!"))
    'Well, this plan (no 2) WORKS!!!!'
    """
    text = " ".join(word for word in _unmarked(iter(tokens)) if word)
    text = re.sub(r" ([,.;:!?%)\]}…])", r"\1", text)
    return re.sub(r"([(\[{]) ", r"\1", text)


def _unmarked(tokens: Iterator[str]) -> Iterator[str]:
    for token in tokens:
        if token == MAJ:
            yield next(tokens, "").capitalize()
        elif token == UP:
            yield next(tokens, "").upper()
        elif token in (REP, WREP):
            count, what = next(tokens, ""), next(tokens, "")
            between = " " if token == WREP else ""
            yield between.join([what] * int(count)) if count.isdecimal() else f"{count} {what}"
        elif token not in (BOS, PAD):
            yield token
