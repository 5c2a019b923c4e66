"""Losses over time, the callbacks of language models, writing and reading."""

import numpy as np
import pytest
import torch
from against_torch import agree, host
from hypothesis import given
from hypothesis import strategies as st

import minilearn as ml
from minilearn import data, models, nn, optim, train
from minilearn.slots import swapped
from minilearn.train.generate import next_token_probabilities

SIZES = st.tuples(st.integers(1, 4), st.integers(1, 5), st.integers(2, 6))


def model5(vocabulary=12, hidden=6, seed=0):
    ml.manual_seed(seed)
    return models.Model5(vocabulary, hidden)


def loader(tokens=400, rows=4, bptt=5, vocabulary=12):
    stream = np.random.default_rng(0).integers(0, vocabulary, tokens)
    return data.LanguageLoader(stream, rows, bptt)


def learner(callbacks=(), **kwargs):
    model = model5()
    return train.Learner(model, loader(**kwargs), loader(100), loss=train.token_cross_entropy,
                         optimizer=lambda p: optim.SGD(p, lr=0.1), callbacks=callbacks)


# ---------------------------------------------------------------- losses


@given(SIZES, st.integers(0, 9))
def test_token_cross_entropy(size, seed):
    n, t, v = size
    rng = np.random.default_rng(seed)
    scores, target = rng.standard_normal(size), rng.integers(0, v, (n, t))
    agree(train.token_cross_entropy,
          lambda x, y: torch.nn.functional.cross_entropy(x.transpose(1, 2), y), scores, target)
    agree(train.token_cross_entropy, torch.nn.functional.cross_entropy, scores[:, 0], target[:, 0])


def torch_penalty(h, alpha, beta):
    change = (h[:, 1:] - h[:, :-1]).pow(2).mean() if h.shape[1] > 1 else 0
    return alpha * h.pow(2).mean() + beta * change


@given(SIZES, st.sampled_from([(2.0, 1.0), (0.5, 0.0), (0.0, 3.0)]))
def test_activation_penalty(size, factors):
    h = np.random.default_rng(1).standard_normal(size)
    agree(train.activation_penalty, torch_penalty, h, *factors)


def test_the_regularizer_changes_the_gradient_and_not_the_recorded_loss():
    runs = []
    for factors in ((0.0, 0.0), (5.0, 3.0)):
        learn = learner()
        penalty = train.ActivationRegularizer(learn.model.rnn, *factors)
        learn.fit(1, callbacks=[penalty])
        runs.append((learn.recorder.losses, host(learn.model.embedding.weight)))
        assert not learn.model.rnn._forward_hooks
    assert runs[0][0][0] == runs[1][0][0]  # the first loss is measured before any step
    assert abs(runs[0][1] - runs[1][1]).max() > 1e-4


def test_the_regularizer_adds_exactly_the_penalty():
    learn = learner()
    (x, y), h = next(iter(learn.train)), []
    handle = learn.model.rnn.register_forward_hook(lambda layer, x, out: h.append(out[0]))
    loss = train.token_cross_entropy(learn.model(x), y)
    handle.remove()
    (loss + train.activation_penalty(h[0], 2.0, 1.0)).backward()
    want = {name: host(p.grad) for name, p in learn.model.named_parameters()}
    learn.model.zero_grad()
    learn.model.reset()

    class Look(train.Callback):
        def after_backward(self, learn):
            for name, p in learn.model.named_parameters():
                np.testing.assert_allclose(host(p.grad), want[name], rtol=1e-4, atol=1e-6)
            raise train.StopFit("seen")

    learn.fit(1, callbacks=[train.ActivationRegularizer(learn.model.rnn, 2.0, 1.0), Look()])
    assert learn.stopped == "seen"


def test_negative_penalties_are_refused():
    with pytest.raises(ValueError, match="must not be negative, got alpha=-1, beta=0"):
        train.ActivationRegularizer(nn.GRU(2, 2), -1, 0)


# ---------------------------------------------------------------- the state in a training


def test_a_resumed_run_reads_on(tmp_path):
    """Two epochs in one go, or with a checkpoint between: the same losses to the last bit."""
    runs = []
    for stop in (False, True):
        learn = learner()
        learn.callbacks.append(train.KeepState(learn.model))
        learn.fit(1 if stop else 2)
        if stop:
            train.save_checkpoint(learn, tmp_path / "one.safetensors")
            learn = learner()
            learn.callbacks.append(train.KeepState(learn.model))
            train.load_checkpoint(learn, tmp_path / "one.safetensors")
            assert learn.model.state[0].numpy().any()
            learn.fit(2)
        runs.append(learn.recorder.losses)
    assert runs[0] == runs[1]


@pytest.mark.parametrize("chance, times", [(0.0, 0), (1.0, 20), (0.3, None)])
def test_forgetting_by_chance(chance, times):
    learn, forgotten = learner(), []
    reset = learn.model.reset
    learn.model.reset = lambda: (forgotten.append(learn.iteration), reset())
    learn.callbacks.append(train.KeepState(learn.model, chance))
    learn.fit(1)
    assert len(forgotten) == times if times is not None else 0 < len(forgotten) < 20


# ---------------------------------------------------------------- writing


def torch_probabilities(scores, temperature, top_k):
    kept = torch.full_like(scores, -torch.inf)
    values, places = scores.topk(min(top_k or len(scores), len(scores)))
    return torch.softmax(kept.scatter(0, places, values) / temperature, 0)


@given(st.lists(st.integers(-30, 30), min_size=1, max_size=9, unique=True),
       st.floats(0.2, 5), st.none() | st.integers(1, 12))
def test_next_token_probabilities(scores, temperature, top_k):
    scores = np.array(scores, float)
    got = train.next_token_probabilities(scores, temperature, top_k)
    want = torch_probabilities(torch.tensor(scores), temperature, top_k).numpy()
    np.testing.assert_allclose(got, want, atol=1e-12)


def test_temperature_0_takes_the_likeliest():
    assert train.next_token_probabilities(np.array([1.0, 3.0, 2.0]), 0).tolist() == [0, 1, 0]
    huge = train.next_token_probabilities(np.array([1e6, 0.0]), 1e-3)
    assert huge.tolist() == [1, 0]


def naive(model, prompt, tokens):
    """Read the whole text again for every token."""
    read = list(prompt)
    for _ in range(tokens):
        model.eval().reset()
        scores = host(model(ml.tensor(np.array([read]))))[0]
        read.append(int(scores[-1].argmax()))
    return read[len(prompt) :]


@pytest.mark.parametrize("kind", [models.Model3, models.Model4, models.Model5,
                                  models.PointerModel])
def test_generation_reads_each_token_once(kind):
    ml.manual_seed(3)
    model = kind(12, 8)
    want = naive(model, [1, 2, 3], 9)
    assert list(train.generate(model, [1, 2, 3], 9)) == want


@pytest.mark.parametrize("kind, context", [(models.Model0, 3), (models.Model1, 3),
                                           (models.Model2, 20)])
def test_a_model_without_state_is_shown_the_last_tokens(kind, context):
    ml.manual_seed(3)
    model, seen = kind(12, 8), []
    model.register_forward_hook(lambda module, inputs, out: seen.append(inputs[0].numpy()[0]))
    written = list(train.generate(model, list(range(5)), 30))
    text = [*range(5), *written]
    assert [part.tolist() for part in seen] == [
        text[max(0, end - context) : end] for end in range(5, 35)]


def test_generation_draws_by_its_seed_and_leaves_the_model_as_it_was():
    model = model5().train()
    model(ml.tensor(np.zeros((3, 2), np.int64)))
    state = model.state
    texts = [list(train.generate(model, [1], 30, temperature=1.5, seed=seed)) for seed in (1, 1, 2)]
    assert texts[0] == texts[1] != texts[2] and len(texts[0]) == 30
    assert model.training and model.state is state
    assert max(texts[0]) < 12
    some = set(train.generate(model, [1], 200, temperature=9.0, top_k=1))
    assert list(train.generate(model, [1], 200)) and some <= set(range(12))
    greedy = list(train.generate(model, [1], 20, temperature=9.0, top_k=1))
    assert greedy == list(train.generate(model, [1], 20))


@pytest.mark.parametrize("arguments, said", [
    (([], 3), "prompt is empty"), (([1], -1), "tokens must not be negative"),
    (([1], 3, {"temperature": -1.0}), "temperature must be 0 or more"),
    (([1], 3, {"top_k": 0}), "top_k must be at least 1"),
])
def test_generation_refuses_what_makes_no_sense(arguments, said):
    prompt, tokens, *how = arguments
    with pytest.raises(ValueError, match=said):
        train.generate(model5(), prompt, tokens, **(how[0] if how else {}))


def test_a_learners_sampling_can_take_its_place():
    with swapped(next_token_probabilities, function=lambda scores, t, k: np.eye(len(scores))[7]):
        assert list(train.generate(model5(), [1], 4)) == [7] * 4


# ---------------------------------------------------------------- reading


def test_a_reading_is_what_validation_measures():
    learn = learner()
    seen = train.Reading.of(learn.model, learn.valid)
    learn.model.reset()
    measured = learn.validate()
    assert seen.accuracy == pytest.approx(measured["accuracy"], abs=1e-6)
    assert seen.losses.mean() == pytest.approx(measured["valid_loss"], rel=1e-5)
    assert seen.inputs.shape == seen.wrong.shape == (4, 25) and seen.bptt == 5
    assert (seen.inputs[:, 1:] == seen.targets[:, :-1]).all() and seen.judged.all()
    assert seen.wrong.sum() == sum(times for _, _, times in seen.confusions())
    by_token = seen.accuracy_by_token()
    assert sum(right for right, _ in by_token.values()) == (~seen.wrong).sum()
    assert sum(times for _, times in by_token.values()) == seen.wrong.size


def test_loss_by_position_folds_the_batches():
    losses = np.arange(18.0).reshape(2, 9)
    seen = train.Reading(*(np.zeros((2, 9), int),) * 3, losses, bptt=3)
    assert seen.loss_by_position().tolist() == [9, 10, 11]  # of 3, 6, 12, 15: not the first batch
    alone = train.Reading(*(np.zeros((2, 9), int),) * 3, losses, bptt=9)
    assert alone.loss_by_position().tolist() == [4.5 + i for i in range(9)]


def test_confusions_and_accuracy_by_token():
    targets, guesses = np.array([[1, 1, 1, 2]]), np.array([[1, 2, 2, -1]])
    seen = train.Reading(targets, targets, guesses, np.zeros((1, 4)), 4)
    assert seen.confusions() == [(1, 2, 2)] and seen.accuracy_by_token() == {1: (1, 3)}
    assert seen.accuracy == pytest.approx(1 / 3)


def test_a_model_that_scores_the_last_place_only():
    ml.manual_seed(0)
    model = models.Model1(12, 8)
    batches = loader(bptt=3)
    seen = train.Reading.of(model, batches)
    assert (seen.judged == (np.arange(seen.inputs.shape[1]) % 3 == 2)).all()
    positions = seen.loss_by_position()
    assert np.isnan(positions[:2]).all() and positions[2] > 0
    x, y = next(iter(batches))
    want = train.token_cross_entropy(model.eval()(x), y[:, -1]).item()
    assert seen.losses[:, 2].mean() == pytest.approx(want, rel=1e-5)


def test_reading_begins_anew_and_leaves_the_model_as_it_was():
    model = model5().train()
    model(ml.tensor(np.zeros((7, 2), np.int64)))  # rows that do not fit the loader's
    state = model.state
    first, again = (train.Reading.of(model, loader()).losses for _ in range(2))
    np.testing.assert_array_equal(first, again)
    assert model.training and model.state is state
    with pytest.raises(ValueError, match="no batch to read"):
        train.Reading.of(model, [])


def test_hidden_states_are_those_of_the_layers():
    model, tokens = model5().eval(), np.array([1, 5, 2, 7])
    states = train.hidden_states(model, tokens)
    assert states.shape == (4, 2, 6)
    out, last = model.rnn(model.embedding(ml.tensor(tokens[None])))
    np.testing.assert_allclose(states[:, 1], host(out)[0], atol=1e-6)
    np.testing.assert_allclose(states[-1], host(last)[:, 0], atol=1e-6)
    assert train.hidden_states(models.Model3(12, 6), tokens).shape == (4, 1, 6)
    with pytest.raises(ValueError, match="Model2 keeps no state"):
        train.hidden_states(models.Model2(12), tokens)


def test_gates_make_the_states():
    """h' = (1 - z) n + z h with the gates that are shown gives the states that are shown."""
    model, tokens = model5().eval(), np.array([1, 5, 2, 7])
    states, (reset, update) = (train.hidden_states(model, tokens),
                               train.gate_openings(model, tokens))
    assert reset.shape == update.shape == (4, 2, 6)
    below = host(model.embedding.weight)[tokens]
    for layer in (0, 1):
        w = {k: host(getattr(model.rnn, f"{k}_l{layer}"))[12:] for k in
             ("weight_ih", "weight_hh", "bias_ih", "bias_hh")}
        before = np.concatenate([np.zeros((1, 6)), states[:-1, layer]])
        inner = before @ w["weight_hh"].T + w["bias_hh"]
        n = np.tanh(below @ w["weight_ih"].T + w["bias_ih"] + reset[:, layer] * inner)
        z = update[:, layer]
        np.testing.assert_allclose((1 - z) * n + z * before, states[:, layer], atol=1e-5)
        below = states[:, layer]
    with pytest.raises(TypeError, match="Model4 has no gates"):
        train.gate_openings(models.Model4(12), tokens)
