"""Lesson 6, one step in time: the embedding of a token, and cells that renew a state by it."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import strategies as st
from torch.nn import functional as F

from .contract import exercise
from .language_text import LESSON
from .strategies import counted, noise, scattered, seeds, signed, sizes

# ---------------------------------------------------------------- embedding_grad

embedding_grad = exercise(
    LESSON, "embedding_grad", "What an embedding learns", minutes=12, difficulty=2,
    keywords=("padding_idx",),
    hints=("Go the other way: each g is added to the row that its output was taken from.",
           "dw[ids] += g writes a row once, however often its id occurs. np.add.at adds every "
           "time.",
           "dw = np.zeros((num_embeddings, g.shape[-1]), g.dtype); np.add.at(dw, ids, g); then "
           "the row padding_idx to 0, if it is not None."))


@st.composite
def lookups(draw, fill=signed, dtype=float, padded=False, most=2):
    shape = tuple(draw(st.lists(sizes(1, 3), min_size=1, max_size=most)))
    V, D = draw(sizes(1, 4)), draw(sizes(1, 3))
    ids = scattered(draw(seeds), shape, 0, V - 1, int)
    case = dict(g=fill((*shape, D)).astype(dtype), ids=ids, num_embeddings=V)
    return case | (dict(padding_idx=draw(sizes(0, V - 1))) if padded else {})


def by_embedding(g, ids, num_embeddings, padding_idx=None):
    g = torch.from_numpy(g)
    weight = torch.zeros(num_embeddings, g.shape[-1], dtype=g.dtype, requires_grad=True)
    F.embedding(torch.from_numpy(ids), weight, padding_idx).backward(g)
    return weight.grad


embedding_grad.property("sums what arrives for each row of the weight", 3, lookups(), exact=True,
                        unchanged=True)(by_embedding)
embedding_grad.property("keeps the row padding_idx at 0", 1, lookups(padded=True), exact=True)(
    by_embedding)
embedding_grad.property("keeps float32, and takes ids of any shape", 1,
                        lookups(counted, "float32", most=3), exact=True)(by_embedding)

ADDED, PADDED = "np.add.at(dw, ids, g)", "if padding_idx is not None:"
embedding_grad.mistake("a token that occurs **several times** keeps only its last gradient: "
                       "dw[ids] += g writes each row once; use np.add.at", (ADDED, "dw[ids] += g"))
embedding_grad.mistake("the gradients of a row are **averaged**; they are summed",
                       (ADDED, f"{ADDED}\n    count = np.bincount(ids.ravel(), minlength=len(dw))"
                        "\n    dw /= np.maximum(count, 1)[:, None]"))
embedding_grad.mistake("the rows are those of **the tokens in the batch**; there is one for each "
                       "token of the vocabulary", ("np.zeros((num_embeddings,",
                                                   "np.zeros((ids.max() + 1,"))
embedding_grad.mistake("the result is **transposed**: a row for each token, as in the weight",
                       ("return dw", "return dw.T"))
embedding_grad.mistake("only the **first row of text** is gone through; all of ids counts",
                       (ADDED, "np.add.at(dw, ids[:1], g[:1])"))
embedding_grad.mistake("**padding_idx is ignored**: its row gets 0", (PADDED, "if False:"))
embedding_grad.mistake("a padding_idx of **0** counts as none: ask `is not None`",
                       (PADDED, "if padding_idx:"))
embedding_grad.mistake("without a padding_idx, **row 0** stays 0; then no row is left out",
                       (PADDED, "if True:"), ("dw[padding_idx]", "dw[padding_idx or 0]"))
embedding_grad.mistake("**float32 becomes float64**: np.zeros makes float64 unless it is told",
                       (", g.dtype)", ")"))
embedding_grad.mistake("the gradients are **numbered by place** instead of by token: each goes to "
                       "the row of its id", (ADDED, "rows = g.reshape(-1, g.shape[-1])"
                                             "[: len(dw)]\n    dw[: len(rows)] = rows"))

# ---------------------------------------------------------------- cells


def quarters(seed, shape):
    """Fill with -1 to 1 in quarters, without 0: tanh and sigmoid of large numbers are all 1."""
    drawn = scattered(seed, shape, -4, 3) / 4
    return np.where(drawn < 0, drawn, drawn + 0.25)


@st.composite
def steps(draw, gates=1, state=("h",), fill=quarters, most=3, **fixed):
    """One step of a cell; all sizes may differ, and be equal too."""
    N, I, H = (fixed.get(name, draw(sizes(1, most))) for name in "NIH")
    seed, rows = draw(seeds), gates * H
    shapes = dict(x=(N, I), **dict.fromkeys(state, (N, H))) | dict(
        weight_ih=(rows, I), weight_hh=(rows, H), bias_ih=(rows,), bias_hh=(rows,))
    return {name: fill(seed + i, shape) for i, (name, shape) in enumerate(shapes.items())}


def by_cell(cell):
    """Let a cell of torch, such as torch.nn.RNNCell, do the step."""

    def reference(x, h, weight_ih, weight_hh, bias_ih, bias_hh, c=None):
        module = cell(x.shape[1], h.shape[1]).double()
        given = dict(weight_ih=weight_ih, weight_hh=weight_hh, bias_ih=bias_ih, bias_hh=bias_hh)
        module.load_state_dict({name: torch.from_numpy(w) for name, w in given.items()})
        state = torch.from_numpy(h)
        return module(torch.from_numpy(x), state if c is None else (state, torch.from_numpy(c)))

    return reference


# ---------------------------------------------------------------- rnn_cell

rnn_cell = exercise(
    LESSON, "rnn_cell", "A state that remembers", minutes=8, difficulty=1,
    hints=("Two linear layers, one of the input and one of the state, are added; tanh keeps the "
           "sum between -1 and 1.",
           "For a batch, the linear layer W x + b is x @ W.T + b.",
           "return np.tanh(x @ weight_ih.T + bias_ih + h @ weight_hh.T + bias_hh)"))
rnn_cell.property("returns the next state", 3, steps(), unchanged=True)(by_cell(torch.nn.RNNCell))
rnn_cell.property("is right for any numbers", 1, steps(fill=noise, most=5))(
    by_cell(torch.nn.RNNCell))

FROM_H = " + h @ weight_hh.T + bias_hh"
rnn_cell.mistake("the **state is not used**: without it the network remembers nothing",
                 (FROM_H, ""))
rnn_cell.mistake("the **bias is added only once**: there are two, one of each layer",
                 (FROM_H, " + h @ weight_hh.T"))
rnn_cell.mistake("**bias_ih is added twice**; the second is bias_hh", ("+ bias_hh", "+ bias_ih"))
rnn_cell.mistake("the **tanh is missing**: the state can grow without end", ("np.tanh(", "("))
rnn_cell.mistake("**ReLU** is taken for tanh", ("np.tanh(", "np.maximum(0, "))
rnn_cell.mistake("**each part has a tanh** of its own; it is applied to their sum",
                 (FROM_H, ") + np.tanh(h @ weight_hh.T + bias_hh"))
rnn_cell.mistake("weight_hh is **not transposed**: a layer is h @ weight_hh.T; as it is square, "
                 "the wrong way fits too", ("weight_hh.T", "weight_hh"))
rnn_cell.mistake("the **old state is added** behind tanh; it acts through its layer alone",
                 ("+ bias_hh)", "+ bias_hh) + h"))

# ---------------------------------------------------------------- gru_cell

gru_cell = exercise(
    LESSON, "gru_cell", "A state with gates", minutes=20, difficulty=3, given="sigmoid.",
    hints=("One matrix product computes what all three blocks take from x, another what they take "
           "from h; then cut both into three.",
           "np.split(x @ weight_ih.T + bias_ih, 3, axis=1) gives the parts of r, z and n, in this "
           "order. For r and z the parts of x and h are added; for n, r comes in between.",
           "r = sigmoid(xr + hr); z = sigmoid(xz + hz); n = np.tanh(xn + r * hn), where hn holds "
           "its bias already; return (1 - z) * n + z * h."))
gru_cell.property("returns the next state", 3, steps(3), unchanged=True)(by_cell(torch.nn.GRUCell))
gru_cell.property("is right for any numbers", 1, steps(3, fill=noise, most=5))(
    by_cell(torch.nn.GRUCell))


@st.composite
def open_or_shut(draw):
    """A step whose gate z is 1 or 0, because of a large bias."""
    case, bias = draw(steps(3)), draw(st.sampled_from([100.0, -100.0]))
    return case | dict(bias_ih=case["bias_ih"] + np.repeat([0, bias, 0], case["h"].shape[1]))


gru_cell.property("keeps the state where z is 1, and renews it where z is 0", 1, open_or_shut())(
    by_cell(torch.nn.GRUCell))

NEW = "n = np.tanh(xn + r * hn)"
MIX = "return (1 - z) * n + z * h"
GRU_NAMES = "(xr, xz, xn), (hr, hz, hn)"
gru_cell.mistake("the **gates r and z are exchanged**: the first block of rows is the reset gate",
                 (GRU_NAMES, "(xz, xr, xn), (hz, hr, hn)"))
gru_cell.mistake("the new content is taken from **the first block**; the order is r, z, n",
                 (GRU_NAMES, "(xn, xr, xz), (hn, hr, hz)"))
gru_cell.mistake("the new state is mixed **the wrong way round**: z says how much of the old state "
                 "is kept", (MIX, "return z * n + (1 - z) * h"))
gru_cell.mistake("the **reset gate is applied before the matrix product**: here r multiplies what "
                 "U h + c comes to, not h",
                 (NEW, "H = h.shape[1]\n    n = np.tanh(xn + (r * h) @ weight_hh[2 * H :].T + "
                       "bias_hh[2 * H :])"))
gru_cell.mistake("the **bias c_n stands outside** the reset gate; r multiplies it too",
                 (NEW, "H = h.shape[1]\n    n = np.tanh(xn + r * (hn - bias_hh[2 * H :]) + "
                       "bias_hh[2 * H :])"))
gru_cell.mistake("the **reset gate is missing** in the new content", (NEW, "n = np.tanh(xn + hn)"))
gru_cell.mistake("the reset gate multiplies **the whole sum**; it is for the part of the state",
                 (NEW, "n = np.tanh(r * (xn + hn))"))
gru_cell.mistake("the new content has a **sigmoid**; it has a tanh, to be of both signs",
                 (NEW, "n = sigmoid(xn + r * hn)"))
gru_cell.mistake("the **gates have a tanh**; they have a sigmoid, which goes from 0 to 1",
                 ("sigmoid(xr + hr)", "np.tanh(xr + hr)"),
                 ("sigmoid(xz + hz)", "np.tanh(xz + hz)"))
gru_cell.mistake("**bias_ih is added twice**; the part of the state has bias_hh",
                 ("weight_hh.T + bias_hh", "weight_hh.T + bias_ih"))
gru_cell.mistake("the **old state is not kept**: z * h is missing", (MIX, "return (1 - z) * n"))
gru_cell.mistake("the blocks are taken **every third row**; they lie one below the other",
                 ("np.split(from_x, 3, axis=1), np.split(from_h, 3, axis=1)",
                  "[from_x[:, i::3] for i in range(3)], [from_h[:, i::3] for i in range(3)]"))

# ---------------------------------------------------------------- lstm_cell

lstm_cell = exercise(
    LESSON, "lstm_cell", "A memory beside the state", minutes=15, difficulty=2, given="sigmoid.",
    hints=("All four blocks are linear in x and h: compute them at once, then cut into four.",
           "Only g has a tanh. c' depends on the old c; h' depends on the new one.",
           "i, f, g, o = np.split(a, 4, axis=1); c = sigmoid(f) * c + sigmoid(i) * np.tanh(g); "
           "return sigmoid(o) * np.tanh(c), c"))
LSTM = torch.nn.LSTMCell
lstm_cell.property("returns the next state and the next memory", 3, steps(4, ("h", "c")),
                   unchanged=True)(by_cell(LSTM))
lstm_cell.property("is right for any numbers", 1, steps(4, ("h", "c"), noise, 5))(by_cell(LSTM))

KEPT = "c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)"
SHOWN = "return sigmoid(o) * np.tanh(c), c"
lstm_cell.mistake("the order of the blocks is taken for **i, f, o, g**; the content g is the third",
                  ("i, f, g, o =", "i, f, o, g ="))
lstm_cell.mistake("**input and forget gate are exchanged**: the first block is the input gate",
                  ("i, f, g, o =", "f, i, g, o ="))
lstm_cell.mistake("the **old memory is lost**: f * c is missing", ("sigmoid(f) * c + ", ""))
lstm_cell.mistake("there is **no forget gate**, as in the first version of 1997: c is kept whole",
                  ("sigmoid(f) * c", "c"))
lstm_cell.mistake("the content g has a **sigmoid**; it has a tanh", ("np.tanh(g)", "sigmoid(g)"))
lstm_cell.mistake("the state shows the memory **without tanh**", ("np.tanh(c), c", "c, c"))
lstm_cell.mistake("the state shows the **old memory**; it shows the new one",
                  (KEPT, f"old, {KEPT.replace('c = ', 'c = c, ')}"),
                  (SHOWN, "return sigmoid(o) * np.tanh(old), c"))
lstm_cell.mistake("the two results are **exchanged**: h comes first, then c",
                  (SHOWN, "return c, sigmoid(o) * np.tanh(c)"))
lstm_cell.mistake("the **bias of the state is missing**: there are two", (" + bias_hh", ""))
lstm_cell.mistake("forget and input gate **sum to 1**, as in a GRU; here f is a gate of its own",
                  ("sigmoid(f) * c", "(1 - sigmoid(i)) * c"))
