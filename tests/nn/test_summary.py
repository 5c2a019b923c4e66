"""The layer table."""

import numpy as np
import pytest

import minilearn as ml
from minilearn import models, nn


def state(model):
    return ({k: v.tolist() for k, v in model.state_dict().items()},
            [m.training for m in model.modules()], [p.requires_grad for p in model.parameters()],
            [len(m._forward_hooks) for m in model.modules()])


def small():
    return nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.ReLU(), nn.BatchNorm2d(4),
                         nn.MaxPool2d(2), nn.Flatten(), nn.Dropout(), nn.Linear(4 * 3 * 2, 5))


def test_rows_and_totals():
    model = small()
    model[0].requires_grad_(False)
    table = nn.summary(model, (1, 6, 4))
    got = [(r.name, r.kind, r.output_shape, r.params, r.trainable) for r in table.rows]
    assert got == [
        ("0", "Conv2d", (4, 6, 4), 40, False), ("1", "ReLU", (4, 6, 4), 0, False),
        ("2", "BatchNorm2d", (4, 6, 4), 8, True), ("3", "MaxPool2d", (4, 3, 2), 0, False),
        ("4", "Flatten", (24,), 0, False), ("5", "Dropout", (24,), 0, False),
        ("6", "Linear", (5,), 125, True)]
    assert (table.total_params, table.trainable_params) == (173, 133)


@pytest.mark.parametrize("name, params, last", [
    ("basic", 12126, (10,)), ("refactor", 12044, (10,)), ("resnet", 41132, (10,))])
def test_the_lessons_nets(name, params, last):
    table = nn.summary(models.MODELS[name](), (1, 28, 28))
    assert table.total_params == params == sum(r.params for r in table.rows)
    shapes = [r.output_shape for r in table.rows]
    assert shapes[-1] == last and (8, 14, 14) in shapes


def test_nothing_is_changed():
    model = small()
    model[5].eval()
    model.register_forward_hook(lambda m, args, y: None)
    before, generator = state(model), ml.xp.generator().bit_generator.state
    nn.summary(model, (1, 6, 4))
    assert state(model) == before and ml.xp.generator().bit_generator.state == generator
    with pytest.raises(ValueError):
        nn.summary(model, (2, 6, 4))
    assert state(model) == before and ml.is_grad_enabled()


def test_it_prints_as_a_table():
    text = str(nn.summary(small(), (1, 6, 4)))
    lines = text.splitlines()
    assert lines[0].split() == ["Layer", "Class", "Output", "shape", "Params", "Trainable"]
    assert all(part in lines[2] for part in ("Conv2d", "[4, 6, 4]", "40", "yes"))
    assert lines[-3:] == ["Total params: 173", "Trainable params: 173", "Non-trainable params: 0"]
    assert not any(line != line.rstrip() for line in lines)


class Tied(nn.Module):
    """A layer used twice, own parameters, an idle layer, two inputs and outputs."""

    def __init__(self):
        super().__init__()
        self.layer, self.idle = nn.Linear(3, 3), nn.Linear(2, 2)
        self.scale = nn.Parameter(np.ones(3, "float32"))

    def forward(self, x, y):
        return self.layer(self.layer(x)) * self.scale, y


def test_shared_idle_and_own_parameters_are_counted_once():
    table = nn.summary(Tied(), [(3,), (7, 2)])
    assert [(r.name, r.output_shape, r.params) for r in table.rows] == [
        ("layer", (3,), 12), ("layer", (3,), 0), ("", [(3,), (7, 2)], 9)]
    assert table.total_params == 21
    assert "[3] [7, 2]" in str(table)


def test_embeddings_doubles_and_parametrized_layers():
    model = nn.Sequential(nn.Embedding(9, 4), nn.GRU(4, 5, batch_first=True))
    table = nn.summary(model, (6,), dtype="int64")
    assert table.rows[0].output_shape == (6, 4) and table.rows[1].output_shape[0] == (6, 5)
    assert nn.summary(nn.Linear(3, 2).double(), (3,)).rows[0].output_shape == (2,)
    table = nn.summary(nn.Sequential(nn.weight_norm(nn.Conv2d(1, 2, 3))), (1, 5, 5))
    assert [(r.kind, r.params) for r in table.rows if r.params] == [("ParametrizedConv2d", 22)]


def test_it_is_a_summary_that_prints_a_table():
    table = nn.summary(small(), (1, 6, 4))
    assert isinstance(table, nn.Summary)
    lines = str(table).splitlines()
    assert lines[0].split()[:2] == ["Layer", "Class"] and "Total params: 173" in lines
