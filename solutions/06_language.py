"""Lesson 6, language: numbers in words, and networks that read them one word after the other.

A text becomes tokens, tokens become numbers (ids), and a network learns to say which comes next.
Shapes: N rows of text side by side, T steps in time, one for each token, I numbers in, H numbers
in the hidden state. Weights have torch's layout: (out, in), the gates of a cell one below the
other: three blocks of H rows in a GRU, four in an LSTM. All arrays of a call have the same dtype,
float32 or float64, and so do those returned.
"""

import collections
import itertools
import math

import numpy as np

SPECIALS = ("xxunk", "xxpad", "xxbos", "xxfld", "xxmaj", "xxup", "xxrep", "xxwrep")
ONES = ("one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
        "sixteen seventeen eighteen nineteen").split()
TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()


def sigmoid(x):
    """Return 1 / (1 + exp(-x)), element by element."""
    return 1 / (1 + np.exp(-x))


def spell(n):
    """Return a number in English words: 7042 -> "seven thousand forty two".

    Lower case, one space between words, no "and", no hyphen. The words are in ONES and TENS above,
    beside "hundred" and "thousand"; the number of thousands is spelled like any other number:
    312000 -> "three hundred twelve thousand". n: a whole number from 1 to 999,999; raises
    ValueError for others (0 too: it has no word in the lesson's text).
    """
    if not 1 <= n <= 999_999:
        raise ValueError(f"n must be from 1 to 999,999, not {n}")
    words = []
    for size, name in ((1000, "thousand"), (100, "hundred")):
        if n >= size:
            words += [spell(n // size), name]
            n %= size
    if n >= 20:
        words.append(TENS[n // 10 - 2])
        n %= 10
    if n:
        words.append(ONES[n - 1])
    return " ".join(words)


def tokenize(text):
    """Cut a text into tokens: a list of strings that begins with "xxbos" (beginning of stream).

    A word is a run of letters and digits (`str.isalnum`). Any other character is a token by itself,
    except white space, which only separates. Words are written in lower case; what is lost by that
    is said by a special token right before the word:

    "xxup"   if all of its letters are capitals, and it has at least two characters: NASA
    "xxmaj"  if the first one is a capital and all other letters, at least one, are small: Paris
             (precisely: the rest of the word `islower`)

    "Hi, NASA" -> ["xxbos", "xxmaj", "hi", ",", "xxup", "nasa"]; neither is put before "I" or
    "McCoy". Source: fastai's rules.
    """
    spaced = "".join(c if c.isalnum() else f" {c} " for c in text)
    tokens = ["xxbos"]
    for word in spaced.split():
        if word.isupper() and len(word) > 1:
            tokens.append("xxup")
        elif word[0].isupper() and word[1:].islower():
            tokens.append("xxmaj")
        tokens.append(word.lower())
    return tokens


def mark_repeats(tokens):
    """Return the tokens with long repetitions shortened to "xxwrep", how often, and the token.

    Where a token stands four times or more in a row, three tokens are written for all of them:
    ["no", "no", "no", "no", "!"] -> ["xxwrep", "4", "no", "!"], the number as a string. What is
    repeated less often stays as it is. Returns a new list. Source: fastai's rules, in which
    "xxrep" does the same to characters.
    """
    marked = []
    for token, run in itertools.groupby(tokens):
        n = len(list(run))
        marked += ["xxwrep", str(n), token] if n >= 4 else [token] * n
    return marked


def vocabulary(tokens, max_vocab=60_000, min_freq=2):
    """Return the list of tokens that a model is to know; a token's id is its place in this list.

    First come all of SPECIALS, in that order, whether they occur or not. Then follow the other
    tokens, the most frequent first; of those equally frequent, the one first met comes first. Those
    that occur fewer than min_freq times are left out, and so are all behind the first max_vocab:
    the special tokens are not counted in this. Source: fastai's Vocab.
    """
    counts = collections.Counter(t for t in tokens if t not in SPECIALS)
    return [*SPECIALS, *(t for t, n in counts.most_common(max_vocab) if n >= min_freq)]


def numericalize(tokens, vocab):
    """Return the ids of the tokens, an array of integers (len(tokens),).

    vocab: a list of different tokens; a token's id is its place, and that of a token that is not
    in it is 0: "xxunk" stands there. A text has many more tokens than words: look each up in a
    dict, for a list is searched from its beginning every time.
    """
    ids = {token: i for i, token in enumerate(vocab)}
    return np.array([ids.get(token, 0) for token in tokens], dtype=np.int64)


def textify(ids, vocab):
    """Return the text of some ids: the tokens of vocab, joined by single spaces.

    ids: an array of integers (T,). Special tokens are written like all others. Raises ValueError
    for an id that is not from 0 to len(vocab) - 1: also for -1, which Python would take for the
    last word.
    """
    for i in ids:
        if not 0 <= i < len(vocab):
            raise ValueError(f"there is no id {i} in a vocabulary of {len(vocab)}")
    return " ".join(vocab[i] for i in ids)


def language_batches(ids, bs, bptt):
    """Yield the batches (x, y) of one epoch over a text: bs pieces of it, read side by side.

    ids: (L,), the tokens of the text. Row j begins at token j * L / bs, rounded down. A batch has
    the next bptt tokens of each row: x (bs, bptt); and each row goes on in the next batch where it
    stopped in this one. y (bs, bptt) is what follows: the token after each token of x.

    There are L / (bs * bptt) batches, rounded up, all of full size: at the end a row reads on in
    what comes after it, the last row at the beginning of the text. Write a generator, or return a
    list of pairs. Raises ValueError when bs or bptt is below 1, or more than L.
    """
    L = len(ids)
    if not (1 <= bs <= L and 1 <= bptt <= L):
        raise ValueError(f"bs and bptt must be from 1 to {L}, the tokens; not {bs} and {bptt}")
    starts = np.arange(bs) * L // bs
    for b in range(math.ceil(L / (bs * bptt))):
        where = starts[:, None] + b * bptt + np.arange(bptt + 1)  # (bs, bptt + 1)
        row = ids[where % L]
        yield row[:, :-1], row[:, 1:]


def embedding_grad(g, ids, num_embeddings, padding_idx=None):
    """Return the gradient of an embedding's weight, where the output is weight[ids].

    g: (..., D), the gradient of a loss with respect to the output. ids: (...), integers from 0 to
    num_embeddings - 1: which row of the weight was taken at each place. A row that was taken at
    several places gets the sum of their gradients, one that was not taken gets 0, and so does the
    row padding_idx, which is not to learn.

    Returns (num_embeddings, D) in the dtype of g. Source: torch.nn.functional.embedding.
    """
    dw = np.zeros((num_embeddings, g.shape[-1]), g.dtype)
    np.add.at(dw, ids, g)
    if padding_idx is not None:
        dw[padding_idx] = 0
    return dw


def rnn_cell(x, h, weight_ih, weight_hh, bias_ih, bias_hh):
    """Return the next hidden state of a recurrent network, which has read one token more.

    h' = tanh(W x + b + U h + c)   for each row, with W, b the weight and bias _ih, U, c those _hh

    x: (N, I), the input; h: (N, H), the state so far; weight_ih: (H, I); weight_hh: (H, H);
    bias_ih, bias_hh: (H,). Returns (N, H). Source: torch.nn.RNNCell.
    """
    return np.tanh(x @ weight_ih.T + bias_ih + h @ weight_hh.T + bias_hh)


def rnn(x, h, weight_ih, weight_hh, bias_ih, bias_hh):
    """Let a recurrent network read T inputs, one after the other; return its states (y, h).

    x: (N, T, I), T at least 1; h: (N, H), the state to begin with; the weights are those of
    `rnn_cell`, the same at every step. y: (N, T, H), the state after each step; the h returned is
    the last of them (N, H): the next batch begins with it. Source: torch.nn.RNN.
    """
    steps = []
    for t in range(x.shape[1]):
        h = rnn_cell(x[:, t], h, weight_ih, weight_hh, bias_ih, bias_hh)
        steps.append(h)
    return np.stack(steps, axis=1), h


def rnn_grad(g, x, h, weight_ih, weight_hh, bias_ih, bias_hh):
    """Return the gradients of y = rnn(x, h, ...)[0]: (dx, dh, dweight_ih, dweight_hh, db).

    g: (N, T, H), the gradient of a loss with respect to y; the rest is what `rnn` was given. A
    state acts on the loss twice: by itself, and through the next state. So go back in time: with
    a_t what tanh was applied to at step t, and d_t the gradient of the loss with respect to a_t,

    d_t = (g_t + what comes back from d_(t+1) through U) * (1 - y_t^2)

    The weights are the same at every step, so their gradients are sums over all steps and rows.
    Each has the shape of what it belongs to; db (H,) is that of either bias. dh belongs to the h
    given. From behind the last step nothing comes back: the next batch's state is detached.
    """
    y, _ = rnn(x, h, weight_ih, weight_hh, bias_ih, bias_hh)
    before = np.concatenate([h[:, None], y[:, :-1]], axis=1)  # (N, T, H): the state of each step
    d, back = np.zeros_like(y), np.zeros_like(h)
    for t in reversed(range(x.shape[1])):
        d[:, t] = (g[:, t] + back) * (1 - y[:, t] ** 2)
        back = d[:, t] @ weight_hh
    dweight_ih = np.einsum("nth,nti->hi", d, x)
    dweight_hh = np.einsum("nth,ntk->hk", d, before)
    return d @ weight_ih, back, dweight_ih, dweight_hh, d.sum(axis=(0, 1))


def train_epoch(batches, model, loss, update, state):
    """Train a language model on the batches of a text; return the state that it ends with.

    batches: pairs (x, y). model(x, state) returns the pair (scores, new state); loss(scores, y)
    returns the loss, and update(loss) takes its gradient and moves the weights. Call each once for
    every batch. Rows continue from batch to batch, so each batch begins with the state that the one
    before it ended with, and the first with the state given.

    But the gradient of a loss must not go back into the batches before: it would take ever longer.
    state.detach() returns the same numbers without their history. The state returned is detached
    too, for the next epoch. This is truncated backpropagation through time.
    """
    for x, y in batches:
        scores, state = model(x, state)
        update(loss(scores, y))
        state = state.detach()
    return state


def gru_cell(x, h, weight_ih, weight_hh, bias_ih, bias_hh):
    """Return the next state of a gated recurrent unit, which decides what it keeps.

    Each weight and bias has three blocks of H rows: for the gates r (reset) and z (update), and
    for the new content n, in this order. With the blocks W, b of those called _ih and U, c of those
    called _hh, for each row of the batch:

    r = sigmoid(W_r x + b_r + U_r h + c_r)
    z = sigmoid(W_z x + b_z + U_z h + c_z)
    n = tanh(W_n x + b_n + r * (U_n h + c_n))
    h' = (1 - z) * n + z * h

    x: (N, I); h: (N, H); weight_ih: (3H, I); weight_hh: (3H, H); bias_ih, bias_hh: (3H,). Returns
    (N, H). You may use `sigmoid`. Source: Cho et al. 2014, as in torch.nn.GRUCell.
    """
    from_x, from_h = x @ weight_ih.T + bias_ih, h @ weight_hh.T + bias_hh  # (N, 3H) both
    (xr, xz, xn), (hr, hz, hn) = np.split(from_x, 3, axis=1), np.split(from_h, 3, axis=1)
    r = sigmoid(xr + hr)
    z = sigmoid(xz + hz)
    n = np.tanh(xn + r * hn)
    return (1 - z) * n + z * h


def lstm_cell(x, h, c, weight_ih, weight_hh, bias_ih, bias_hh):
    """Return the next state (h, c) of a long short-term memory: c is kept, h is shown.

    Each weight and bias has four blocks of H rows: for the gates i (input) and f (forget), the new
    content g, and the gate o (output), in this order. With a = W x + b + U h + d of the block,
    where W, b are the weight and bias _ih and U, d those _hh:

    i, f, o = sigmoid(a_i), sigmoid(a_f), sigmoid(a_o)      g = tanh(a_g)
    c' = f * c + i * g
    h' = o * tanh(c')

    x: (N, I); h, c: (N, H); weight_ih: (4H, I); weight_hh: (4H, H); biases (4H,). Returns two
    arrays (N, H). Source: Hochreiter and Schmidhuber 1997, as in torch.nn.LSTMCell.
    """
    a = x @ weight_ih.T + bias_ih + h @ weight_hh.T + bias_hh  # (N, 4H)
    i, f, g, o = np.split(a, 4, axis=1)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    return sigmoid(o) * np.tanh(c), c


def gru(x, h, layers):
    """Let a stack of GRUs read T inputs, one after the other; return the pair (y, h).

    layers: one tuple (weight_ih, weight_hh, bias_ih, bias_hh) for each layer, as `gru_cell` takes
    them. The first layer reads x (N, T, I), and each other one reads all the states of the layer
    below it. h: (layers, N, H), the state with which each layer begins.

    y: (N, T, H), the states of the last layer; the h returned is the last state of each layer
    (layers, N, H). Raises ValueError when h is not for this number of layers.
    Source: torch.nn.GRU.
    """
    last = []
    for state, weights in zip(h, layers, strict=True):
        steps = []
        for t in range(x.shape[1]):
            state = gru_cell(x[:, t], state, *weights)
            steps.append(state)
        x = np.stack(steps, axis=1)  # (N, T, H): what the next layer reads
        last.append(state)
    return x, np.stack(last)


def activation_regularisation(dropped, raw, alpha=2.0, beta=1.0):
    """Return what is added to the loss so that states stay small (AR) and change slowly (TAR).

    alpha * mean of dropped^2  +  beta * mean of (raw_(t+1) - raw_t)^2

    dropped, raw: (N, T, H), the states of the last layer after and before dropout. The first mean
    is over all numbers, the second over all differences; with one step there are none, and the
    second part is 0. Returns one number. Source: Merity et al. 2017.
    """
    steps = raw[:, 1:] - raw[:, :-1]  # (N, T - 1, H)
    return alpha * (dropped**2).mean() + (beta * (steps**2).mean() if steps.size else 0.0)


def accuracy_by_position(scores, target):
    """Return how often the right token has the best score at each step: (T,), from 0 to 1.

    scores: (N, T, V), one for each token of the vocabulary; target: (N, T), the ids that are right.
    The share is over the N rows. At the first steps a model without a state does worse.
    """
    return (scores.argmax(axis=2) == target).mean(axis=0)


def token_probabilities(scores, temperature=1.0, top_k=None):
    """Return how likely each token is to be chosen: the softmax of scores / temperature.

    scores: (V,), of any size: exp must not overflow. temperature: below 1 it favours the best,
    above 1 it evens out. top_k: if it is not None, only the top_k tokens with the best scores can
    be chosen; the others get 0, and these share all of the 1. No two scores are equal.

    Returns (V,), a new array. Raises ValueError when temperature is not above 0, and when top_k is
    not from 1 to V.
    """
    if temperature <= 0:
        raise ValueError(f"temperature must be above 0, not {temperature}")
    if top_k is not None and not 1 <= top_k <= len(scores):
        raise ValueError(f"top_k must be from 1 to {len(scores)}, not {top_k}")
    best = np.argsort(-scores)[:top_k]
    weights = np.zeros_like(scores)
    weights[best] = np.exp((scores[best] - scores.max()) / temperature)
    return weights / weights.sum()


def sample(probabilities, u):
    """Return the id of the token that a random number u stands for.

    Lay the probabilities (V,) side by side: token 0 covers the numbers from 0 up to, but without,
    p_0; token 1 those from there up to p_0 + p_1, and so on. The token that covers u is chosen,
    so each as often as it is likely, and never one of probability 0. u: from 0, below 1.

    The sum of all may miss 1 by a rounding error: the last token with a probability above 0 then
    covers the rest too. Returns an int.
    """
    ends = np.cumsum(probabilities)
    return int(np.searchsorted(ends, u * ends[-1], side="right"))


def generate(model, choose, prompt, count, state):
    """Return `count` tokens with which a language model goes on after a prompt: a list of ids.

    model(token, state) reads one id and returns (scores, new state); choose(scores) returns the id
    of a token. First the model reads the prompt, a list of ids, from the state given. Then, again
    and again, a token is chosen by the newest scores, and is what the model reads next. The prompt
    is not part of the result. Raises ValueError for an empty prompt: there would be no scores.
    """
    if not prompt:
        raise ValueError("the prompt is empty: begin with xxbos")
    for token in prompt:
        scores, state = model(token, state)
    chosen = []
    while len(chosen) < count:
        chosen.append(choose(scores))
        scores, state = model(chosen[-1], state)
    return chosen
