"""The lesson's language models: exact sizes, their state, and the same training as torch twins."""

import tracemalloc

import numpy as np
import pytest
import torch
from against_torch import host

import minilearn as ml
from minilearn import data, models, optim, train, xp
from minilearn.bench.language_twins import twin
from minilearn.errors import ShapeError
from minilearn.models import LANGUAGE_MODELS

PARAMETERS = {"0": 9_190, "1": 9_190, "2": 9_190, "3": 9_190, "4": 13_350, "5": 54_950,
              "best": 63_335}
STATEFUL = ("3", "4", "5", "best")


def build(name, vocabulary=38, hidden=64, seed=0):
    ml.manual_seed(seed)
    return LANGUAGE_MODELS[name](vocabulary, hidden)


def tokens(shape, vocabulary=38, seed=0):
    return np.random.default_rng(seed).integers(0, vocabulary, shape)


@pytest.mark.parametrize("name", PARAMETERS)
def test_parameter_counts(name):
    assert sum(p.numel() for p in build(name).parameters()) == PARAMETERS[name]


def test_the_table_of_models_is_the_lessons():
    classes = [models.Model0, models.Model1, models.Model2, models.Model3, models.Model4,
               models.Model5, models.PointerModel]
    assert list(LANGUAGE_MODELS.values()) == classes
    assert all(issubclass(c, models.LanguageModel) for c in classes)


@pytest.mark.parametrize("name", PARAMETERS)
def test_shapes(name):
    x = ml.tensor(tokens((5, 3)))
    assert build(name)(x).shape == ((5, 38) if name in "01" else (5, 3, 38))


def test_models_0_and_1_are_the_same_function():
    zero, one = build("0"), build("1")
    one.load_state_dict(zero.state_dict())
    for length in (1, 2, 3):
        x = ml.tensor(tokens((5, length)))
        np.testing.assert_array_equal(host(zero.eval()(x)), host(one.eval()(x)))
    with pytest.raises(ShapeError, match=r"three steps.*\(5, 4\).*Model1"):
        zero(ml.tensor(tokens((5, 4))))


def copied(name):
    """A model in float64, and its twin with the same weights."""
    ours, theirs = build(name).double(), twin(name, 38).double()
    if name == "best":  # chance differs
        ours.word_dropout.p = theirs.word_dropout.p = 0
    theirs.load_state_dict({k: torch.tensor(v.numpy()) for k, v in ours.state_dict().items()})
    return ours, theirs


@pytest.mark.parametrize("name", PARAMETERS)
def test_training_parity_with_torch(name):
    """Same weights, same text, 20 steps of one-cycle Adam in float64: the same training."""
    ours, theirs = copied(name)
    mine = optim.AdamW(ours.parameters(), betas=(0.9, 0.99), eps=1e-8, weight_decay=1e-2)
    its = torch.optim.AdamW(theirs.parameters(), betas=(0.9, 0.99), eps=1e-8, weight_decay=1e-2)
    text = data.numbers_corpus().train[:12 * 7 * 20]
    batches = data.LanguageLoader(text, 12, 3 if name in "01" else 7, last=name in "01")
    for step, (x, y) in zip(range(20), batches, strict=False):
        lr, momentum = optim.one_cycle(step, 20, 1e-2)
        for optimizer in (mine, its):
            optimizer.param_groups[0].update(lr=lr, betas=(momentum, 0.99))
        loss = train.token_cross_entropy(ours(x), y)
        loss.backward()
        mine.step()
        mine.zero_grad()
        scores = theirs(torch.tensor(x.numpy()))
        want = torch.nn.functional.cross_entropy(scores.flatten(0, -2),
                                                 torch.tensor(y.numpy()).flatten())
        its.zero_grad()
        want.backward()
        its.step()
        assert loss.item() == pytest.approx(want.item(), rel=1e-9), f"step {step}"
    assert step == 19
    for key, value in theirs.state_dict().items():
        np.testing.assert_allclose(ours.state_dict()[key].numpy(), value.numpy(), rtol=0, atol=1e-9,
                                   err_msg=key)
    assert len(ours.state) == len(theirs.state)
    for a, b in zip(ours.state, theirs.state, strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=0, atol=1e-9)


# ---------------------------------------------------------------- the state


@pytest.mark.parametrize("name", STATEFUL)
def test_two_halves_are_as_good_as_the_whole(name):
    model, x = build(name).eval(), tokens((4, 12))
    whole = host(model(ml.tensor(x)))
    model.reset()
    halves = [host(model(ml.tensor(x[:, part]))) for part in (slice(0, 5), slice(5, 12))]
    np.testing.assert_allclose(np.concatenate(halves, 1), whole, rtol=0, atol=1e-5)


@pytest.mark.parametrize("name", ["0", "1", "2"])
def test_models_without_state_forget(name):
    model, x = build(name).eval(), ml.tensor(tokens((4, 3)))
    first = host(model(x))
    np.testing.assert_array_equal(host(model(x)), first)
    assert not model.stateful and model.state == ()


@pytest.mark.parametrize("name", STATEFUL)
def test_the_state_is_cut_off_from_its_past(name):
    """After the second batch, the loss has no gradient with respect to the first one's tokens."""
    model, x = build(name), ml.tensor(tokens((4, 5)))
    model(x)
    assert model.stateful and all(not part.requires_grad for part in model.state)
    alone = model(x).square().sum()
    alone.backward()
    got = model.embedding.weight.grad.numpy()
    unread = sorted(set(range(38)) - set(x.numpy().ravel().tolist()))
    assert not got[unread].any() and got.any()


@pytest.mark.parametrize("name", STATEFUL)
def test_another_batch_size_is_refused_with_both_sizes(name):
    model = build(name)
    model(ml.tensor(tokens((6, 5))))
    with pytest.raises(ShapeError, match=r"batch has 4 rows.*kept for 6 rows.*reset\(\)"):
        model(ml.tensor(tokens((4, 5))))
    model.reset()
    assert model(ml.tensor(tokens((4, 5)))).shape == (4, 5, 38)


def test_tied_weights_are_one_matrix_and_learn_from_both_sides():
    ml.manual_seed(0)
    for kind, count in ((models.Model4, 13_350), (models.Model5, 54_950)):
        model = kind(38, tied=True)
        assert sum(p.numel() for p in model.parameters()) == count - 38 * 64
        x = ml.tensor(tokens((4, 5)))
        train.token_cross_entropy(model(x), x).backward()
        assert model.output.weight is model.embedding.weight
        assert model.embedding.weight.grad.numpy().any(1).all()  # unread rows too, through output


# ---------------------------------------------------------------- the pointer


def pointer(**options):
    ml.manual_seed(0)
    return models.PointerModel(9, 8, keys=4, **{"word_dropout": 0.0} | options)


def test_the_pointer_gives_probabilities():
    model = pointer().eval()
    for length in (1, 1, 6):  # the first token has nothing to point at
        total = host(model(ml.tensor(tokens((3, length), 9))).exp().sum(-1))
        np.testing.assert_allclose(total, 1, atol=1e-5)


def test_the_pointer_never_looks_ahead():
    model, x = pointer().eval(), tokens((2, 8), 9)
    before = host(model(ml.tensor(x)))
    for place in range(1, 8):
        changed = x.copy()
        changed[:, place] = (changed[:, place] + 1) % 9
        model.reset()
        after = host(model(ml.tensor(changed)))
        np.testing.assert_array_equal(after[:, :place], before[:, :place])
        assert (after[:, place:] != before[:, place:]).any()


@pytest.mark.parametrize("offset, said", [(-1, {3, 5}), (0, {3, 5, 7}), (1, {5, 7})])
def test_the_pointer_copies_the_word_before_at_or_after_a_place(offset, said):
    """With all weight on one offset, only words that it offers can come; 7 was read last."""
    model = pointer().eval()
    model.sentinel.bias.data[...] = -1e4
    model.key.weight.data[...], model.key.bias.data[...] = 0.0, 1.0
    model.query.weight.data[...], model.query.bias.data[...] = 0.0, -1e4
    model.query.bias.data[4 * (offset + 1) : 4 * (offset + 2)] = 1.0
    chances = host(model(ml.tensor(np.array([[3, 5, 7]]))).exp())[0, -1]
    np.testing.assert_allclose(chances[sorted(said)], 1 / len(said), atol=1e-5)
    assert set(np.flatnonzero(chances > 1e-6)) == said


def test_memory_is_bounded():
    model = pointer(memory=5)
    for _ in range(4):
        model(ml.tensor(tokens((2, 3), 9)))
    assert [part.shape for part in model.state] == [(2, 2, 8), (2, 5), (2, 5, 4)]


def test_another_mode_is_another_text():
    model = pointer()
    model(ml.tensor(tokens((2, 3), 9)))
    model.train()
    assert model.state
    model.eval()
    assert model.state == ()


def test_word_dropout_hides_whole_words_in_training_only():
    model = pointer(word_dropout=0.5)
    seen = []
    model.rnn.register_forward_hook(lambda layer, inputs, output: seen.append(host(inputs[0])))
    model(ml.tensor(tokens((8, 6), 9)))
    hidden = (seen[0] == 0).all(-1)
    assert 0 < hidden.mean() < 1 and not (seen[0] == 0)[~hidden].any()
    model.eval()(ml.tensor(tokens((8, 6), 9)))
    assert (seen[1] != 0).all()


@pytest.mark.slow
def test_a_long_window_is_stable():
    """bptt 500: the loss stays finite, and falls."""
    model = models.Model5(38)
    adam = optim.AdamW(model.parameters(), lr=3e-3)
    text = data.numbers_corpus().train
    losses = []
    for _ in range(3):
        for x, y in data.LanguageLoader(text, 64, 500):
            loss = train.token_cross_entropy(model(x), y)
            loss.backward()
            adam.step()
            adam.zero_grad()
            losses.append(loss.item())
    assert np.isfinite(losses).all() and losses[-1] < 0.8 * losses[0]


def test_memory_does_not_grow_from_batch_to_batch():
    """The state is cut off, so what one batch of 500 steps needs is all that is ever needed."""
    model, kept = models.Model5(38, 8), []
    text = data.numbers_corpus().train[:30_000]
    tracemalloc.start()
    try:
        for x, y in data.LanguageLoader(text, 8, 500):
            train.token_cross_entropy(model(x), y).backward()
            model.zero_grad()
            kept.append(tracemalloc.get_traced_memory()[0])
            tracemalloc.reset_peak()
    finally:
        tracemalloc.stop()
    assert len(kept) == 8 and max(kept[2:]) - min(kept[2:]) < 100_000, kept  # one batch: 4 MB


def losses_on(library, name, steps=3):
    """Train for a few steps in float64 on an array library; return the losses and the writing."""
    before = xp.library()
    ml.use(library)
    try:
        model = build(name, 12, 6).double()
        adam, losses = optim.AdamW(model.parameters(), lr=0.01), []
        text = np.random.default_rng(0).integers(0, 12, 400)
        batches = data.LanguageLoader(text, 4, 3, last=name in "01")
        for _, (x, y) in zip(range(steps), batches, strict=False):
            loss = train.token_cross_entropy(model(x), y)
            loss.backward()
            adam.step()
            adam.zero_grad()
            losses.append(loss.item())
        return losses, list(train.generate(model, [1, 2], 6))
    finally:
        ml.use(before)


@pytest.mark.parametrize("library", ["torch:cpu", "array_api_strict"])
@pytest.mark.parametrize("name", PARAMETERS)
def test_training_and_writing_are_the_same_on_every_library(name, library):
    losses, written = losses_on("numpy", name)
    others, other = losses_on(library, name)
    assert others == pytest.approx(losses, rel=1e-9) and other == written
