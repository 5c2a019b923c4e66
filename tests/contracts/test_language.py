"""Lesson 6: the solutions make the lesson's text, and other ways to write them pass as well."""

import pytest

from minilearn.contracts import catalogue, course
from minilearn.grading.checking.message import message
from minilearn.grading.checking.runner import Settings, run_exercise
from minilearn.grading.isolation.local import Local

LESSON = "06_language"


@pytest.fixture(scope="module")
def solutions():
    made: dict = {}
    exec(compile(course.solutions(LESSON), f"{LESSON}.py", "exec"), made)
    return made


@pytest.fixture(scope="module")
def texts(solutions):
    return {name: solutions["tokenize"](", ".join(map(solutions["spell"], numbers)))
            for name, numbers in (("train", range(1, 8000)), ("valid", range(8001, 10_000)))}


def test_the_text_has_the_lessons_length(texts):
    assert {name: len(tokens) for name, tokens in texts.items()} == {
        "train": 50_079, "valid": 13_017}
    assert texts["train"][:8] == "xxbos one , two , three , four".split()


def test_the_vocabulary_has_the_lessons_ids(solutions, texts):
    vocab = solutions["vocabulary"](texts["train"])
    assert len(vocab) == 38
    assert vocab[:8] == "xxunk xxpad xxbos xxfld xxmaj xxup xxrep xxwrep".split()
    assert vocab[8:12] == [",", "hundred", "thousand", "one"]
    assert (vocab[19], vocab[20], vocab[27]) == ("nine", "twenty", "ninety")
    assert (vocab[28], vocab[37]) == ("ten", "nineteen")
    ids = solutions["numericalize"](texts["valid"], vocab)
    assert ids.min() > 0  # no word of the second text is unknown
    assert solutions["textify"](ids, vocab).split() == texts["valid"]


OTHER_WAYS = {
    "tokenize": '''
def tokenize(text):
    tokens, word = ["xxbos"], ""
    for c in text + " ":
        if c.isalnum():
            word += c
            continue
        if len(word) > 1 and word == word.upper() and word != word.lower():
            tokens.append("xxup")
        elif word[:1].isupper() and word[1:].islower():
            tokens.append("xxmaj")
        if word:
            tokens.append(word.lower())
        if not c.isspace():
            tokens.append(c)
        word = ""
    return tokens
''',
    "language_batches": '''
def language_batches(ids, bs, bptt):
    if min(bs, bptt) < 1 or max(bs, bptt) > len(ids):
        raise ValueError
    found, long = [], np.tile(ids, 3 + bs * bptt // len(ids))
    for first in range(0, -(-len(ids) // (bs * bptt)) * bptt, bptt):
        rows = [long[j * len(ids) // bs + first :][: bptt + 1] for j in range(bs)]
        found.append((np.array([r[:-1] for r in rows]), np.array([r[1:] for r in rows])))
    return found
''',
    "embedding_grad": '''
def embedding_grad(g, ids, num_embeddings, padding_idx=None):
    one_hot = np.eye(num_embeddings, dtype=g.dtype)[ids.ravel()]
    if padding_idx is not None:
        one_hot[:, padding_idx] = 0
    return one_hot.T @ g.reshape(-1, g.shape[-1])
''',
    "train_epoch": '''
def train_epoch(batches, model, loss, update, state):
    for batch in batches:
        kept = state.detach()
        out = model(batch[0], kept)
        state = out[1].detach()
        update(loss(out[0], batch[1]))
    return state
''',
    "gru_cell": '''
def gru_cell(x, h, weight_ih, weight_hh, bias_ih, bias_hh):
    H = h.shape[1]
    def part(i, x, w, b):
        return x @ w[i * H : (i + 1) * H].T + b[i * H : (i + 1) * H]
    r, z = ((1 + np.tanh((part(i, x, weight_ih, bias_ih) + part(i, h, weight_hh, bias_hh)) / 2)) / 2
            for i in range(2))
    n = np.tanh(part(2, x, weight_ih, bias_ih) + r * part(2, h, weight_hh, bias_hh))
    return n + z * (h - n)
''',
    "token_probabilities": '''
def token_probabilities(scores, temperature=1.0, top_k=None):
    if temperature <= 0 or top_k is not None and not 0 < top_k <= len(scores):
        raise ValueError
    cut = np.sort(scores)[-(top_k or len(scores))]
    shifted = np.where(scores >= cut, scores, -np.inf) / temperature
    p = np.exp(shifted - shifted.max())
    return p / p.sum()
''',
    "sample": '''
def sample(probabilities, u):
    end = 0.0
    for i, p in enumerate(probabilities):
        end += p
        if u < end:
            return i
    return max(i for i, p in enumerate(probabilities) if p > 0)
''',
    "generate": '''
def generate(model, choose, prompt, count, state):
    if len(prompt) == 0:
        raise ValueError
    text = [*prompt]
    for i in range(len(prompt) + count - 1):
        scores, state = model(text[i], state)
        if i + 1 >= len(prompt):
            text.append(choose(scores))
    return text[len(prompt):]
''',
}


@pytest.mark.parametrize("name", OTHER_WAYS)
def test_another_right_way_passes(name):
    source = "import numpy as np\n" + OTHER_WAYS[name]
    result = run_exercise(catalogue()[name], Local(source.encode(), f"{LESSON}.py"),
                          Settings(40, 3))
    assert result.passed, message(result)
