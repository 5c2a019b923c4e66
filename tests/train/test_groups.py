"""Layer groups: who learns, at which rate, and that a Learner keeps to it."""

import numpy as np
import pytest
from against_torch import host
from hypothesis import given
from hypothesis import strategies as st

import minilearn as ml
from minilearn import data, models, nn, optim, train
from minilearn.functional import l1_loss
from minilearn.train.groups import BATCH_NORMS


def unet():
    ml.manual_seed(0)
    return models.unet(models.small_encoder((4, 6, 8)), norm="weight", size=(16, 16))


def learning(model):
    return {name for name, p in model.named_parameters() if p.requires_grad}


def of_norms(model):
    return {f"{path}.{name}" for path, m in model.named_modules() if isinstance(m, BATCH_NORMS)
            for name, _ in m.named_parameters(recurse=False)}


# ---------------------------------------------------------------- freezing


def test_freeze_keeps_batch_norm_and_the_last_group():
    model = unet()
    encoder, norms = {n for n, _ in model.named_parameters() if n.startswith("0.")}, of_norms(model)
    train.freeze(model)
    assert learning(model) & encoder == norms & encoder != set()
    assert learning(model) - encoder == {n for n, _ in model.named_parameters()} - encoder
    train.freeze_to(model, 1)
    deep = {n for n in encoder if int(n.split(".")[1]) >= model.split}
    assert learning(model) & encoder == deep | (norms & encoder) and deep
    train.unfreeze(model)
    assert len(learning(model)) == len(list(model.parameters()))


def test_groups_that_do_not_exist():
    for n in (3, -4):
        with pytest.raises(IndexError, match=f"no layer group {n}; the model has 3"):
            train.freeze_to(unet(), n)


def test_a_model_without_groups_is_one():
    model = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))
    assert train.layer_groups(model) == [[model]]
    train.freeze(model)
    assert len(learning(model)) == 4


# ---------------------------------------------------------------- rates


@given(st.integers(1, 5), st.floats(1e-6, 1), st.floats(1e-6, 1))
def test_rates(count, a, b):
    assert train.rates(a, count) == [a] * count
    assert train.rates(slice(b), count) == [b / 10] * (count - 1) + [b]
    spread = train.rates(slice(a, b), count)
    assert len(spread) == count and spread[-1] == b
    assert spread[0] == (a if count > 1 else b)
    ratios = [y / x for x, y in zip(spread, spread[1:], strict=False)]
    assert ratios == pytest.approx([ratios[0]] * len(ratios) if ratios else [])


@pytest.mark.parametrize("lr", [slice(None), slice(1, 2, 3), slice(0.0), slice(-1.0, 1.0),
                                [1.0, 2.0]])
def test_rates_that_make_no_sense(lr):
    with pytest.raises(ValueError, match="rates"):
        train.rates(lr, 3)


def test_parameter_groups_cover_everything_once():
    model = unet()
    groups = train.param_groups(model)
    assert [g["layer_group"] for g in groups] == [0, 1, 2]
    found = [p for g in groups for p in g["params"]]
    assert len(found) == len(set(found)) and set(found) == set(model.parameters())
    split = train.param_groups(model, decay_norms=False)
    assert [g["layer_group"] for g in split] == [0, 0, 1, 1, 2, 2]
    assert [g.get("weight_decay") for g in split] == [None, 0.0] * 3
    assert {p for g in split for p in g["params"]} == set(found)
    names = {p: name for name, p in model.named_parameters()}
    light = {names[p] for g in split[1::2] for p in g["params"]}
    assert light == of_norms(model) | {n for n in names.values() if n.endswith(".bias")}


# ---------------------------------------------------------------- in a Learner


def learner(model, **options):
    rng = np.random.default_rng(0)
    pixels = rng.standard_normal((8, 3, 16, 16)).astype("float32")
    loader = data.DataLoader(data.TensorDataset(pixels, pixels), 4)
    return train.Learner(model, loader, loader, loss=l1_loss, metrics=(), **options)


def test_frozen_layers_do_not_move_and_statistics_do():
    model = unet()
    train.freeze(model)
    before = {name: host(v).copy() for name, v in model.state_dict().items()}
    learner(model).fit_one_cycle(1, slice(1e-2))
    moved = {n for n, v in model.state_dict().items() if not np.array_equal(host(v), before[n])}
    encoder = {n for n in before if n.startswith("0.")}
    allowed = of_norms(model) | {n for n in before if "running" in n or "tracked" in n}
    assert moved & encoder == allowed & encoder
    assert len(moved - encoder) > 0.9 * len(before.keys() - encoder)


def test_each_group_follows_its_own_cycle():
    seen = []

    class Watch(train.Callback):
        def after_backward(self, learn):
            seen.append([group["lr"] for group in learn.optimizer.param_groups])

    model = unet()
    learner(model, callbacks=[Watch()]).fit_one_cycle(5, slice(1e-6, 1e-4))
    peaks = np.max(seen, axis=0)
    assert peaks == pytest.approx([1e-6, 1e-5, 1e-4])
    assert np.allclose(np.array(seen) / np.array(seen)[:, -1:], [0.01, 0.1, 1])
    seen.clear()
    learner(unet(), callbacks=[Watch()]).fit(1, slice(1e-2))
    assert seen == [[1e-3, 1e-3, 1e-2]] * 2


def test_norms_without_decay_get_their_group_s_rate():
    model = unet()
    adam = optim.AdamW(train.param_groups(model, decay_norms=False), weight_decay=0.5)
    learn = learner(model, optimizer=lambda params: adam)
    learn.fit(1, callbacks=[train.OneCycle(slice(1e-4, 1e-2), div=1.0, pct_start=1.0)])
    rates = [group["lr"] for group in adam.param_groups]
    assert rates == pytest.approx([1e-4, 1e-4, 1e-3, 1e-3, 1e-2, 1e-2])
    assert [group["weight_decay"] for group in adam.param_groups] == [0.5, 0.0] * 3


def test_a_run_with_groups_resumes(tmp_path):
    first = learner(unet(), callbacks=[train.Checkpoint(tmp_path / "c")])
    first.fit(1, slice(1e-4, 1e-2))
    second = learner(unet(), callbacks=[train.Checkpoint(tmp_path / "c")])
    train.load_checkpoint(second, tmp_path / "c")
    for run in (first, second):
        run.fit(2, slice(1e-4, 1e-2))
    for a, b in zip(first.model.parameters(), second.model.parameters(), strict=True):
        assert np.array_equal(host(a), host(b))


def test_the_parts_of_a_loss_become_columns():
    ml.manual_seed(0)
    vgg = models.small_vgg(2, (4, 6), 1)
    loss = models.FeatureLoss(models.named_layers(vgg.features), weights=(5, 2))
    learn = learner(unet())
    learn.loss_function = loss
    learn.fit(1, 1e-3)
    row = learn.recorder.history[-1]
    names = ["pixel", "feat_0", "feat_1", "gram_0", "gram_1"]
    assert list(row)[:8] == ["epoch", "train_loss", "valid_loss", *names]
    assert sum(row[name] for name in names) == pytest.approx(row["valid_loss"], rel=1e-5)
