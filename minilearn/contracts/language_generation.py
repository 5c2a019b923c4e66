"""Lesson 6, new text: how likely each token is, one chosen by lot, and many in a row."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import strategies as st

from .contract import Raises, exercise
from .language_text import LESSON
from .strategies import sizes

# ---------------------------------------------------------------- token_probabilities

token_probabilities = exercise(
    LESSON, "token_probabilities", "How bold is the next word?", minutes=12, difficulty=2,
    keywords=("temperature", "top_k"),
    hints=("A softmax of scores / temperature, over the tokens that may be chosen.",
           "Subtract the best score before exp, so that the largest power is 1. np.argsort(-scores)"
           "[:top_k] gives the places of the best; [:None] gives all.",
           "weights = np.zeros_like(scores); weights[best] = np.exp((scores[best] - scores.max()) "
           "/ temperature); return weights / weights.sum()"))


@st.composite
def choices(draw, large=False, **options):
    V = draw(sizes(1, 5))
    scores = np.array(draw(st.permutations(range(V)))) / 2 - draw(sizes(0, 2))
    case = dict(scores=scores * 1000 if large else scores)
    case |= {name: draw(strategy) for name, strategy in options.items()}
    return case | (dict(top_k=min(case["top_k"], V)) if "top_k" in case else {})


def by_softmax(scores, temperature=1.0, top_k=None):
    scores = torch.from_numpy(scores)
    least = scores.topk(top_k or len(scores)).values[-1]
    return (scores.masked_fill(scores < least, -torch.inf) / temperature).softmax(0)


heat = st.sampled_from([1.0, 0.5, 2.0, 0.25])
token_probabilities.property("is a softmax of scores / temperature", 2, choices(temperature=heat),
                             unchanged=True)(by_softmax)
token_probabilities.property("leaves only the top_k best, which share the 1", 2,
                             choices(temperature=heat, top_k=sizes(1, 4)))(by_softmax)
token_probabilities.property("does not overflow", 1, choices(True, temperature=heat), rtol=1e-9)(
    by_softmax)


@token_probabilities.property(
    "refuses a temperature of 0 or less, and a top_k that is not from 1 to V", 1, st.builds(
        lambda case, bad: case | bad, choices(), st.sampled_from(
            [dict(temperature=0.0), dict(temperature=-1.0), dict(top_k=0), dict(top_k=-1),
             dict(top_k=6)])))
def _(scores, temperature=1.0, top_k=None):
    return Raises("ValueError")


BEST = "best = np.argsort(-scores)[:top_k]"
POWER = "weights[best] = np.exp((scores[best] - scores.max()) / temperature)"
HEAT, FEW = "if temperature <= 0:", "if top_k is not None and not 1 <= top_k <= len(scores):"
token_probabilities.mistake("the scores are **multiplied by the temperature**; divide, so that a "
                            "low one favours the best", (") / temperature)", ") * temperature)"))
token_probabilities.mistake("**the temperature is ignored**", (") / temperature)", "))"))
token_probabilities.mistake("the **probabilities are divided** by the temperature, which changes "
                            "nothing, or their sum; divide the scores",
                            (") / temperature)", "))"),
                            ("weights / weights.sum()", "weights / weights.sum() / temperature"))
token_probabilities.mistake("**top_k is ignored**", (BEST, "best = np.argsort(-scores)"))
token_probabilities.mistake("the **worst** are left instead of the best",
                            (BEST, BEST.replace("-scores", "scores")))
token_probabilities.mistake("the scores of the others are set **to 0**, which is a score like any "
                            "other; it is their probability that is 0",
                            (POWER, "kept = np.zeros_like(scores)\n    kept[best] = scores[best]\n"
                                    "    weights = np.exp((kept - scores.max()) / temperature)"))
token_probabilities.mistake("the softmax is **not over the top_k alone**: what the others had is "
                            "missing, so the sum is below 1",
                            ("weights / weights.sum()",
                             "weights / np.exp((scores - scores.max()) / temperature).sum()"))
token_probabilities.mistake("only the probabilities of the **top_k are returned**; there is one "
                            "for each token, 0 for the others",
                            ("weights / weights.sum()", "weights[np.sort(best)] / weights.sum()"))
token_probabilities.mistake("the probabilities are **sorted**, the best first; each stays at its "
                            "token's place", ("weights / weights.sum()",
                                              "np.sort(weights)[::-1] / weights.sum()"))
token_probabilities.mistake("**exp overflows** for large scores: subtract the best score first",
                            ("scores[best] - scores.max()", "scores[best]"))
token_probabilities.mistake("the weights are **not divided by their sum**",
                            ("weights / weights.sum()", "weights"))
token_probabilities.mistake("**nothing is refused**: a temperature of 0 or less and a top_k out of "
                            "range must raise ValueError", (HEAT, "if False:"), (FEW, "if False:"))

# ---------------------------------------------------------------- sample

sample = exercise(
    LESSON, "sample", "A token by lot", minutes=10, difficulty=2,
    hints=("Where does each token's part of the line from 0 to 1 end? np.cumsum tells.",
           "Look for the first token whose end lies beyond u: beyond, not at, for a part does not "
           "hold its end.",
           "ends = np.cumsum(probabilities); return int(np.searchsorted(ends, u * ends[-1], "
           "side='right')): with u * ends[-1], u reaches as far as the sum does."))


@st.composite
def lots(draw, ends=False):
    """Probabilities in sixteenths, sums of which are exact, and a u within a part or at an end."""
    cuts = sorted(draw(st.lists(sizes(0, 16), max_size=4)))
    p = np.diff([0, *cuts, 16]) / 16
    places = [c / 16 for c in (0, *cuts) if c < 16] if ends else [(i + 0.5) / 16 for i in range(16)]
    return dict(probabilities=p, u=draw(st.sampled_from(places)))


def first_beyond(probabilities, u):
    ends = torch.from_numpy(probabilities).cumsum(0)
    return int((ends <= u).sum())


sample.property("chooses the token whose part u lies in", 2, lots())(first_beyond)
sample.property("gives the end of a part to the next token, and none to 0", 2, lots(ends=True),
                examples=(dict(probabilities=np.array([0.0, 1.0]), u=0.0),))(first_beyond)
TENTHS = np.full(10, 0.1)  # their sum, one after the other, is the largest number below 1


@sample.property("chooses a token even where rounding leaves none", 1, st.builds(
    lambda zeros: dict(probabilities=np.append(TENTHS, np.zeros(zeros)), u=1 - 2.0**-53),
    sizes(0, 9)))
def _(probabilities, u):
    return 9


ENDS = 'int(np.searchsorted(ends, u * ends[-1], side="right"))'
sample.mistake("the **likeliest** token is always chosen, whatever u is",
               (ENDS, "int(np.argmax(probabilities))"))
sample.mistake("u is compared with **each probability** by itself; compare it with their sums",
               (ENDS, "int(np.argmax(probabilities > u))"))
sample.mistake("a part **holds its end**: at u = 0 a token of probability 0 may be chosen; use "
               "side=\"right\"", ('side="right"', 'side="left"'))
sample.mistake("the parts are laid **from the last token** to the first",
               (ENDS, "len(ends) - 1 - int(np.searchsorted(np.cumsum(probabilities[::-1]), u, "
                      "side='right'))"))
sample.mistake("the token **behind** the right one is chosen", (ENDS, f"{ENDS} + 1"))
sample.mistake("the token **before** the right one is chosen, so that the first one becomes -1",
               (ENDS, f"{ENDS} - 1"))
sample.mistake("u **times the number of tokens** is rounded down: then all are equally likely",
               (ENDS, "int(u * len(probabilities))"))
sample.mistake("the sum may **miss 1 by a rounding error**: a u above it gets an id behind the "
               "last; search for u * ends[-1]", ("u * ends[-1]", "u"))
sample.mistake("where rounding leaves no token, the **last of all** is chosen, though its "
               "probability may be 0", (ENDS, 'min(int(np.searchsorted(ends, u, side="right")), '
                                              'len(ends) - 1)'))
sample.mistake("the **probability** is returned instead of the id",
               (ENDS, f"float(probabilities[{ENDS}])"))

# ---------------------------------------------------------------- generate

generate = exercise(
    LESSON, "generate", "And so on", minutes=12, difficulty=2,
    hints=("First the prompt: the model reads all of it, and only the last scores are of use.",
           "Then choose, remember, and let the model read what was chosen; the state goes from "
           "call to call.",
           "while len(chosen) < count: chosen.append(choose(scores)); scores, state = "
           "model(chosen[-1], state)"))
TALK = """
def drive(module, function, prompt, count, start):
    def model(token, state):
        state = (3 * state + token) % 101
        return state * np.arange(1, 12) % 13 + np.arange(11) / 11, state
    return function(model, lambda scores: int(scores.argmax()), prompt, count, start)
"""


@st.composite
def talks(draw, least=1, most=4, counts=(0, 5)):
    prompt = draw(st.lists(sizes(0, 10), min_size=least, max_size=most))
    return dict(prompt=prompt, count=draw(sizes(*counts)), start=draw(sizes(0, 9)))


def by_rereading(prompt, count, start):
    """Read all anew for every token: slow, but without a state to lose."""
    text = list(prompt)
    for _ in range(count):
        read = sum(token * 3**i for i, token in enumerate(reversed(text)))
        state = (read + start * 3 ** len(text)) % 101
        text.append(int((state * np.arange(1, 12) % 13 + np.arange(11) / 11).argmax()))
    return text[len(prompt):]


generate.property("chooses one token after a prompt", 2, talks(counts=(1, 1)), driver=TALK)(
    by_rereading)
generate.property("goes on with what it chose", 3, talks(), driver=TALK)(by_rereading)


@generate.property("refuses an empty prompt", 1, talks(0, 0, (0, 3)), driver=TALK)
def _(prompt, count, start):
    return Raises("ValueError")


READ, AGAIN = "scores, state = model(token, state)", "scores, state = model(chosen[-1], state)"
generate.mistake("the model knows only the **last word of the prompt**: it must read all of it, "
                 "and the state must be carried from word to word",
                 ("for token in prompt:", "for token in prompt[-1:]:"))
generate.mistake("the **state is not carried** while words are chosen: keep what the model returns",
                 (AGAIN, "scores, _ = model(chosen[-1], state)"))
generate.mistake("what is chosen is **not read** by the model: it reads the prompt's last word "
                 "again and again", (AGAIN, "scores, state = model(prompt[-1], state)"))
generate.mistake("all tokens are chosen by the **same scores**; after each the model reads it and "
                 "returns new ones", (f"        {AGAIN}\n", ""))
generate.mistake("the **prompt is part of the result**; only what is new is returned",
                 ("return chosen", "return prompt + chosen"))
generate.mistake("the **last word of the prompt is read twice**: its scores are there already",
                 ("    chosen = []", "    scores, state = model(prompt[-1], state)\n"
                                     "    chosen = []"))
generate.mistake("there is **one token too many**", ("len(chosen) < count", "len(chosen) <= count"))
generate.mistake("the state **begins anew** after the prompt: what was read is forgotten",
                 ("    for token", "    start = state\n    for token"),
                 ("    chosen = []", "    chosen, state = [], start"))
generate.mistake("**an empty prompt** is not refused; there would be no scores",
                 ("if not prompt:", "if False:"))
