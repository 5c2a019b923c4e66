"""Recurrent networks over a whole sequence, one fused op each: `rnn`, `gru` and `lstm`.

Only the product of the state with its weights has to wait for the step before. All else is done
for all steps at once: the caller has projected the inputs (`gates`), and the gradient first works
out all gates again from the states, which are the output, and then the *slopes*: the gradient of
each gate is the gradient of the state times a slope that depends on nothing to come. So going back
in time is one product with the slopes and one with the weights for each step, and the gradient of
the weights is a single product.

gates (T, N, G H): what the inputs contribute to the G gates at each of T steps; h0 (N, H): the
first state; weight (G H, H): from the state to the gates.
"""

from __future__ import annotations

from .. import xp
from ..op import Op
from .matmul import matmul, one_dtype
from .pieces import cat, chunk, stack, unbind
from .shape import t as transposed

# ---------------------------------------------------------------- one step, in ops


def rnn_tanh_step(gx, gh, state):
    """h' = tanh(W x + U h), the simple recurrent network (Elman 1990).

    Here and below `gx` is what the input contributes, W x, and `gh` what the state does, U h; the
    state and the result are tuples, and their first part is the output.
    """
    return ((gx + gh).tanh(),)


def rnn_relu_step(gx, gh, state):
    """h' = relu(W x + U h)."""
    return ((gx + gh).relu(),)


def gru_step(gx, gh, state):
    """h' = (1 - z) n + z h, with a gate z that keeps and a gate r that forgets (Cho 2014)."""
    (xr, xz, xn), (hr, hz, hn) = chunk(gx, 3, -1), chunk(gh, 3, -1)
    r, z = (xr + hr).sigmoid(), (xz + hz).sigmoid()
    n = (xn + r * hn).tanh()
    return ((1 - z) * n + z * state[0],)


def lstm_step(gx, gh, state):
    """c' = f c + i g, h' = o tanh(c') (Hochreiter & Schmidhuber 1997)."""
    i, f, g, o = chunk(gx + gh, 4, -1)
    c = f.sigmoid() * state[1] + i.sigmoid() * g.tanh()
    return o.sigmoid() * c.tanh(), c


RNN_STEPS = {"tanh": rnn_tanh_step, "relu": rnn_relu_step}


def _step_by_step(step, gates, state, weight, bias=None, projection=None):
    """Repeat a step in ordinary ops: what higher derivatives go through."""
    states = []
    for gx in unbind(gates):
        gh = matmul(state[0], transposed(weight))
        h, *rest = step(gx, gh if bias is None else gh + bias, state)
        state = (h if projection is None else matmul(h, transposed(projection)), *rest)
        states.append(cat(state, -1) if rest else state[0])
    return stack(states)


# ---------------------------------------------------------------- what the kernels share


def _times(rows, matrix):
    """Multiply (T, N, K) with (K, M) as one product."""
    flat = xp.reshape(rows, (-1, rows.shape[-1])) @ matrix
    return xp.reshape(flat, (*rows.shape[:-1], matrix.shape[-1]))


def _outer(g, x):
    """Return the gradient (M, K) of the weights of `x @ weight.T`: one product over all steps."""
    return xp.reshape(g, (-1, g.shape[-1])).T @ xp.reshape(x, (-1, x.shape[-1]))


def _before(states, first):
    """The states that each step started from: one place later, after the first."""
    return xp.concat([first[None, ...], states[:-1, ...]], axis=0)


def _sigmoid(x):
    with xp.quiet():  # exp overflows to inf for very negative x, and 1 / inf is the right 0
        y = xp.exp(-x)
    y += 1  # in place: the arrays are large
    return 1 / y


# ---------------------------------------------------------------- the simple network


@Op
def rnn(gates, h0, weight, *, nonlinearity):
    """Return the states h = tanh(gates + U h), or relu, of all steps: (T, N, H)."""
    one_dtype("rnn", gates=gates, h0=h0, weight=weight)
    y, h, across = xp.empty_like(gates), h0, xp.contiguous(weight.T)
    for t in range(gates.shape[0]):
        x = gates[t, ...] + h @ across
        h = xp.tanh(x) if nonlinearity == "tanh" else xp.maximum(x, xp.zeros_like(x))
        y[t, ...] = h
    return y


def _rnn_gradients(g, y, gates, h0, weight, *, needs, nonlinearity):
    slopes = 1 - y * y if nonlinearity == "tanh" else xp.astype(y > 0, y.dtype)
    dh, d_gates = xp.zeros_like(h0), slopes  # which turn into gradients in place
    for t in reversed(range(y.shape[0])):
        d = d_gates[t, ...]
        d *= g[t, ...] + dh
        dh = d @ weight
    return d_gates, dh, _outer(d_gates, _before(y, h0))


rnn.fused(_rnn_gradients, lambda gates, h0, weight, nonlinearity: _step_by_step(
    RNN_STEPS[nonlinearity], gates, (h0,), weight))

# ---------------------------------------------------------------- gated recurrent units


@Op
def gru(gates, h0, weight, bias):
    """Return the states h = (1 - z) n + z h of all steps: (T, N, H); the gates are r, z, n.

    bias (3 H,): that of the state's share, which a gate multiplies.
    """
    one_dtype("gru", gates=gates, h0=h0, weight=weight, bias=bias)
    h, across = h0, xp.contiguous(weight.T)
    y = xp.empty((gates.shape[0], *h0.shape), h0.dtype)
    for t in range(gates.shape[0]):
        _, z, n, _ = _gru_gates(gates[t, ...], h @ across + bias)
        h = n + z * (h - n)
        y[t, ...] = h
    return y


def _gru_gates(gx, gh):
    """Return r, z, n and what the state contributes to n, for one step or for all at once."""
    size = gx.shape[-1] // 3
    rz = _sigmoid(gx[..., : 2 * size] + gh[..., : 2 * size])
    r, z, hn = rz[..., :size], rz[..., size:], gh[..., 2 * size :]
    return r, z, xp.tanh(gx[..., 2 * size :] + r * hn), hn


def _gru_gradients(g, y, gates, h0, weight, bias, *, needs):
    before = _before(y, h0)
    r, z, n, hn = _gru_gates(gates, _times(before, weight.T) + bias)
    slope_n = (1 - z) * (1 - n * n)
    slopes = [slope_n * hn * r * (1 - r), (before - n) * z * (1 - z), slope_n * r]
    d_state = xp.stack(slopes, axis=2)  # (T, N, 3, H), and turns into gradients in place
    d_h, dh = xp.empty_like(y), xp.zeros_like(h0)
    for t in reversed(range(y.shape[0])):
        dh = dh + g[t, ...]
        d_h[t, ...] = dh
        d = d_state[t, ...]
        d *= dh[:, None, :]
        dh = dh * z[t, ...] + xp.reshape(d, (-1, weight.shape[0])) @ weight
    d_gates = xp.reshape(d_state, gates.shape)  # those of the state's share, as far as n goes
    d_weight, d_bias = _outer(d_gates, before), xp.sum(d_gates, axis=(0, 1))
    d_gates[..., -n.shape[-1] :] = d_h * slope_n
    return d_gates, dh, d_weight, d_bias


gru.fused(_gru_gradients, lambda gates, h0, weight, bias: _step_by_step(
    gru_step, gates, (h0,), weight, bias))

# ---------------------------------------------------------------- long short-term memory


@Op
def lstm(gates, h0, c0, weight, *projection):
    """Return the states h = o tanh(c), c = f c + i g of all steps, side by side: (T, N, P + H).

    c0 (N, H); the gates are i, f, g, o. projection: nothing, or a matrix (P, H) that makes h
    smaller; without it P = H.
    """
    one_dtype("lstm", gates=gates, h0=h0, c0=c0, weight=weight)
    h, c, across, out = h0, c0, xp.contiguous(weight.T), h0.shape[-1]
    y = xp.empty((*gates.shape[:2], out + c0.shape[-1]), h0.dtype)
    for t in range(gates.shape[0]):
        i, f, g, o = _lstm_gates(gates[t, ...] + h @ across)
        c = f * c + i * g
        h = o * xp.tanh(c)
        h = h @ projection[0].T if projection else h
        y[t, :, :out], y[t, :, out:] = h, c
    return y


def _lstm_gates(x):
    """Return i, f, g, o, for one step or for all at once."""
    n = x.shape[-1] // 4
    i_f = _sigmoid(x[..., : 2 * n])
    return i_f[..., :n], i_f[..., n:], xp.tanh(x[..., 2 * n : 3 * n]), _sigmoid(x[..., 3 * n :])


def _lstm_gradients(grad, y, gates, h0, c0, weight, *projection, needs):
    out = h0.shape[-1]
    before, c_before = _before(y[..., :out], h0), _before(y[..., out:], c0)
    i, f, g, o = _lstm_gates(gates + _times(before, weight.T))
    squashed = xp.tanh(y[..., out:])
    to_c = o * (1 - squashed * squashed)  # from the gradient of o tanh(c) to that of c
    slopes = [g * i * (1 - i), c_before * f * (1 - f), i * (1 - g * g), squashed * o * (1 - o)]
    d_gates = xp.stack(slopes, axis=2)  # (T, N, 4, H), and turns into gradients in place
    d_h, dh, dc = xp.empty_like(before), xp.zeros_like(h0), xp.zeros_like(c0)
    for t in reversed(range(y.shape[0])):
        dh = dh + grad[t, :, :out]
        d_h[t, ...] = dh
        dm = dh @ projection[0] if projection else dh
        dc = dc + grad[t, :, out:] + dm * to_c[t, ...]
        d = d_gates[t, ...]
        d[:, :3, :] *= dc[:, None, :]
        d[:, 3, :] *= dm
        dh, dc = xp.reshape(d, (-1, weight.shape[0])) @ weight, dc * f[t, ...]
    d_gates = xp.reshape(d_gates, gates.shape)
    d_projection = [_outer(d_h, o * squashed)] if projection else []
    return d_gates, dh, dc, _outer(d_gates, before), *d_projection


lstm.fused(_lstm_gradients, lambda gates, h0, c0, weight, *projection: _step_by_step(
    lstm_step, gates, (h0, c0), weight, None, *projection))
