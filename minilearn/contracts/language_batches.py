"""Lesson 6, the numbers: ids instead of tokens, and a long text in batches."""

from __future__ import annotations

import math

import numpy as np
import torch
from hypothesis import strategies as st

from .contract import Raises, exercise
from .language_text import LESSON
from .strategies import sizes

# ---------------------------------------------------------------- numericalize

numericalize = exercise(
    LESSON, "numericalize", "Tokens as numbers", minutes=5, difficulty=1,
    hints=("Turn the list round: a dict from each token to its place.",
           "enumerate(vocab) gives places and tokens; dict.get(token, 0) has an answer for unknown "
           "tokens too.",
           "ids = {token: i for i, token in enumerate(vocab)}; then np.array([ids.get(t, 0) for t "
           "in tokens], dtype=np.int64): without the dtype an empty list becomes floats."))
VOCAB = ["xxunk", "xxpad", "xxbos", ",", "one", "two", "ten"]


@st.composite
def tokens(draw, words):
    vocab = ["xxunk", *draw(st.permutations(VOCAB[1:]))[: draw(sizes(1, 6))]]
    return dict(tokens=draw(st.lists(st.sampled_from(words), max_size=6)), vocab=vocab)


def places(tokens, vocab):
    return np.array([vocab.index(t) if t in vocab else 0 for t in tokens], np.int64)


numericalize.property(
    "gives each token its place in the vocabulary", 2,
    tokens(VOCAB).map(lambda c: c | dict(tokens=[t for t in c["tokens"] if t in c["vocab"]])),
    examples=(dict(tokens=["two", ",", "one"], vocab=VOCAB),))(places)
numericalize.property("takes 0 for tokens that are not in the vocabulary", 1,
                      tokens([*VOCAB, "six", "One"]),
                      examples=(dict(tokens=["six"], vocab=VOCAB),))(places)
numericalize.property("leaves both lists as they are", 1, tokens([*VOCAB, "six"]),
                      unchanged=True)(places)


@numericalize.property("makes integers of no tokens, too", 1,
                       st.just(dict(tokens=[], vocab=VOCAB)))
def _(tokens, vocab):
    return np.zeros(0, np.int64)


FOUND = "[ids.get(token, 0) for token in tokens]"
numericalize.mistake("unknown tokens get the **first number behind the vocabulary**, for which an "
                     "embedding has no row; they get 0",
                     ("ids.get(token, 0)", "ids.get(token, len(vocab))"))
numericalize.mistake("unknown tokens are **left out**; they get 0, so that every token has an id",
                     (FOUND, "[ids[token] for token in tokens if token in ids]"))
numericalize.mistake("an unknown token is an **error**; it gets 0", ("ids.get(token, 0)",
                                                                     "ids[token]"))
numericalize.mistake("unknown tokens get **-1**, the last row of an embedding; they get 0",
                     ("ids.get(token, 0)", "ids.get(token, -1)"))
numericalize.mistake("the ids **count from 1**; the first place is 0",
                     ("enumerate(vocab)", "enumerate(vocab, 1)"))
numericalize.mistake("tokens are numbered **in the order of the text**; the vocabulary says their "
                     "number", ("enumerate(vocab)", "enumerate(dict.fromkeys(tokens))"))
numericalize.mistake("a **list** is returned; an array is due",
                     (f"np.array({FOUND}, dtype=np.int64)", FOUND))
numericalize.mistake("the ids are **floats**; they are to be indices",
                     ("dtype=np.int64", "dtype=np.float64"))
numericalize.mistake("without tokens the array is one of **floats**: NumPy cannot see what kind of "
                     "number is missing; say dtype=np.int64", (", dtype=np.int64", ""))
numericalize.mistake("an unknown token is **added to the vocabulary**, the caller's list",
                     ("    return np", "    for token in tokens:\n        if token not in ids:\n"
                      "            ids[token] = len(vocab)\n            vocab.append(token)\n"
                      "    return np"))

# ---------------------------------------------------------------- textify

textify = exercise(
    LESSON, "textify", "Numbers as a text", minutes=5, difficulty=1,
    hints=("A token is vocab[i]. Only: what does Python do with vocab[-1]?",
           "Look at all ids first, and raise ValueError if one is below 0 or too large.",
           "After the check: ' '.join(vocab[i] for i in ids)."))


@st.composite
def numbers(draw, bad=False):
    ids = draw(st.lists(sizes(0, len(VOCAB) - 1), min_size=0 if not bad else 1, max_size=6))
    if bad:
        ids[draw(sizes(0, len(ids) - 1))] = draw(st.sampled_from(
            [-1, len(VOCAB), -len(VOCAB), len(VOCAB) + 2]))
    return dict(ids=np.array(ids, np.int64), vocab=VOCAB)


@textify.property("joins the tokens by single spaces", 2, numbers(),
                  examples=(dict(ids=np.array([2, 4, 3, 5]), vocab=VOCAB),))
def _(ids, vocab):
    text = ""
    for i in ids:
        text += (" " if text else "") + vocab[i]
    return text


@textify.property("refuses ids outside the vocabulary, -1 among them", 2, numbers(bad=True))
def _(ids, vocab):
    return Raises("ValueError")


JOINED = 'return " ".join(vocab[i] for i in ids)'
textify.mistake("the tokens **stick together**: join them with \" \"", ('" ".join', '"".join'))
textify.mistake("**every token is followed by a space**, the last one too; spaces stand between "
                "tokens", (JOINED, 'return "".join(vocab[i] + " " for i in ids)'))
textify.mistake("the tokens are returned **as a list**; a string is due",
                (JOINED, "return [vocab[i] for i in ids]"))
textify.mistake("**special tokens are left out**; they are written like all others",
                ("for i in ids)", 'for i in ids if not vocab[i].startswith("xx"))'))
textify.mistake("**negative ids** count from the end, as everywhere in Python; refuse them",
                ("0 <= i < len(vocab)", "-len(vocab) <= i < len(vocab)"))
textify.mistake("ids that are **too large** raise IndexError, which says nothing of ids; check "
                "them, and raise ValueError", ("0 <= i < len(vocab)", "0 <= i"))
textify.mistake("**nothing is checked**: an id below 0 is taken from the end, one too large raises "
                "IndexError; both must raise ValueError",
                ("if not 0 <= i < len(vocab):", "if False:"))
textify.mistake("ids outside are **left out in silence**; that hides that something is wrong",
                ("    for i in ids:\n        if not 0 <= i < len(vocab):\n",
                 "    ids = [i for i in ids if 0 <= i < len(vocab)]\n    for i in ids:\n"
                 "        if False:\n"))

# ---------------------------------------------------------------- language_batches

language_batches = exercise(
    LESSON, "language_batches", "A text in batches", minutes=25, difficulty=3,
    hints=("A batch is bs windows of a text, one at the place of each row. The next batch has the "
           "same windows, bptt tokens further on.",
           "Take bptt + 1 tokens of each row: all but the last are x, all but the first are y. "
           "Places behind the end go on at the beginning: place % L.",
           "where = starts[:, None] + b * bptt + np.arange(bptt + 1), with starts = np.arange(bs) "
           "* L // bs; row = ids[where % L]; yield row[:, :-1], row[:, 1:]."))
BATCHES = """
def drive(module, language_batches, ids, bs, bptt):
    return [(x, y) for x, y in language_batches(ids, bs, bptt)]
"""
SHAPES = """
def drive(module, language_batches, length, bs, bptt):
    found = list(language_batches(np.arange(length), bs, bptt))
    return {"batches": len(found), "first tokens of x": found[0][0][:, 0],
            "shapes": [x.shape for x, _ in (found[0], found[-1])]}
"""


def text(length):
    """Return a text in which every token is another one, and none is the number of its place."""
    return np.arange(10, 10 + length)


@st.composite
def streams(draw, most=4, whole=False):
    """Draw a text and its cut; whole: rows of whole batches, so that nothing wraps."""
    bs, bptt = draw(sizes(1, most)), draw(sizes(1, most))
    length = bs * bptt * draw(sizes(1, 3)) if whole else draw(sizes(max(bs, bptt), 24))
    return dict(ids=text(length), bs=bs, bptt=bptt)


def by_rolling(ids, bs, bptt):
    """Roll the text for each row, lay it end to end, and cut it into pieces."""
    length = len(ids)
    count = math.ceil(length / (bs * bptt))
    rows = [torch.from_numpy(ids).roll(-(j * length // bs)) for j in range(bs)]
    long = torch.stack(rows).repeat(1, 1 + count * bptt // length + 1)
    return [(long[:, a : a + bptt], long[:, a + 1 : a + 1 + bptt])
            for a in range(0, count * bptt, bptt)]


language_batches.property("has rows that go on from batch to batch, and what follows as y", 3,
                          streams(whole=True), driver=BATCHES, examples=(
                              dict(ids=text(8), bs=2, bptt=2),))(by_rolling)
language_batches.property("keeps every batch full, for a text of any length", 2, streams(),
                          driver=BATCHES, examples=(
                              dict(ids=text(7), bs=2, bptt=2),))(by_rolling)


@language_batches.property(
    "makes the lesson's 12, 3, 261, 68, 40 and 11 batches", 1, st.builds(
        lambda length, bptt: dict(length=length, bs=64, bptt=bptt),
        st.sampled_from([13_017, 50_079]), st.sampled_from([70, 3, 20])), driver=SHAPES)
def _(length, bs, bptt):
    count = {(50_079, 70): 12, (13_017, 70): 3, (50_079, 3): 261, (13_017, 3): 68,
             (50_079, 20): 40, (13_017, 20): 11}[length, bptt]
    return {"batches": count, "first tokens of x": torch.arange(bs) * length // bs,
            "shapes": [(bs, bptt)] * 2}


@st.composite
def impossible(draw):
    case = draw(streams())
    sizes = [0, -1, len(case["ids"]) + draw(st.integers(1, 3))]
    return case | {draw(st.sampled_from(["bs", "bptt"])): draw(st.sampled_from(sizes))}


@language_batches.property("refuses a bs or bptt below 1 or above the number of tokens", 1,
                           impossible(), driver=BATCHES)
def _(ids, bs, bptt):
    return Raises("ValueError")


PLACES = "where = starts[:, None] + b * bptt + np.arange(bptt + 1)  # (bs, bptt + 1)"
YIELD = "yield row[:, :-1], row[:, 1:]"
STARTS = "starts = np.arange(bs) * L // bs"
language_batches.mistake("the **targets are not shifted**: y is x, and the model learns to copy",
                         (YIELD, "yield row[:, :-1], row[:, :-1]"))
language_batches.mistake("the targets are shifted **the wrong way**: y is the token before, which "
                         "the model has already seen", (YIELD, "yield row[:, 1:], row[:, :-1]"))
language_batches.mistake("**rows do not continue**: each batch is one stretch of the text cut into "
                         "bs rows; cut the text into bs rows first, and those into batches",
                         (PLACES, "where = (b * bs + np.arange(bs))[:, None] * bptt "
                                  "+ np.arange(bptt + 1)"))
language_batches.mistake("**time is the first axis**: a batch is (bs, bptt), a row of it is a "
                         "piece of the text", (YIELD, "yield row[:, :-1].T, row[:, 1:].T"))
language_batches.mistake("the **last batch is missing** unless the text fills it; their number is "
                         "rounded up", ("math.ceil(L / (bs * bptt))", "L // (bs * bptt)"))
language_batches.mistake("each row **wraps to its own beginning** at its end; it reads on in what "
                         "comes after it",
                         ("row = ids[where % L]",
                          "row = ids[starts[:, None] + (where - starts[:, None]) % (L // bs)]"))
language_batches.mistake("**batches overlap**: each begins one token after the one before it; the "
                         "next begins bptt tokens further on", ("b * bptt +", "b +"))
language_batches.mistake("the target of a window's last token is the window's **first** token "
                         "(np.roll); it is the token that comes next in the text",
                         (YIELD, "yield row[:, :-1], np.roll(row[:, :-1], -1, axis=1)"))
language_batches.mistake("the rows begin at j times L / bs **rounded down first**; round down "
                         "j * L / bs", (STARTS, "starts = np.arange(bs) * (L // bs)"))
language_batches.mistake("**bs and bptt are exchanged**: bs is how many pieces of the text are "
                         "read side by side, bptt how many tokens of each",
                         (STARTS, f"bs, bptt = bptt, bs\n    {STARTS}"))
language_batches.mistake("places behind the end are set to **the last token**; the text goes on at "
                         "its beginning", ("ids[where % L]", "ids[np.minimum(where, L - 1)]"))
language_batches.mistake("**nothing is refused**: bs and bptt must be from 1 to the number of "
                         "tokens", ("if not (1 <= bs <= L and 1 <= bptt <= L):", "if False:"))
language_batches.mistake("the batches hold the **places** of the tokens in the text; they hold the "
                         "tokens, ids[place]", ("row = ids[where % L]", "row = where % L"))
