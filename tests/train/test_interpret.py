"""What a model says and where it is wrong, against torch, sklearn and plain counting."""

from collections import Counter
from functools import partial

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import confusion_matrix, recall_score

import minilearn as ml
from minilearn import nn
from minilearn.data import DataLoader, Images, TensorDataset
from minilearn.errors import ShapeError
from minilearn.nn import functional as F
from minilearn.train import Interpretation, Learner, predict

torch_F = torch.nn.functional


class Same(nn.Module):
    """A model that answers with its input, so that a test can say what the outputs are."""

    def forward(self, x):
        return x


def learner(outputs, targets, batch_size=4, loss=F.cross_entropy):
    loader = DataLoader(TensorDataset(outputs, targets), batch_size)
    return Learner(Same(), [], loader, loss=loss, optimizer=lambda parameters: None)


def some_answers():
    return np.random.default_rng(0).normal(size=(7, 3)).astype(np.float32), np.arange(7) % 3


@st.composite
def answers(draw, dtype=np.float32):
    """Outputs (N, classes), targets (N,) and a batch size that may not divide N."""
    count, classes = draw(st.integers(1, 12)), draw(st.integers(2, 5))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    # Small whole numbers: ties between scores and between losses do happen.
    outputs = rng.integers(-3, 4, (count, classes)).astype(dtype)
    return outputs, rng.integers(0, classes, count), draw(st.integers(1, 6))


@given(answers())
def test_confusion_matrix_is_sklearns(case):
    outputs, targets, _ = case
    seen = Interpretation.of(learner(*case))
    labels = list(range(outputs.shape[1]))
    want = confusion_matrix(targets, outputs.argmax(1), labels=labels)
    assert seen.confusion_matrix().tolist() == want.tolist()
    answers = {"labels": labels, "average": None, "zero_division": np.nan}
    recall = recall_score(targets, outputs.argmax(1), **answers)
    np.testing.assert_array_equal(list(seen.class_accuracy().values()), recall)


@given(answers())
def test_what_is_held_is_what_torch_computes(case):
    outputs, targets, _ = case
    seen = Interpretation.of(learner(*case))
    want = torch_F.cross_entropy(torch.tensor(outputs), torch.tensor(targets), reduction="none")
    np.testing.assert_allclose(seen.losses, want.numpy(), rtol=1e-5, atol=1e-6)
    shares = torch_F.softmax(torch.tensor(outputs), 1)
    np.testing.assert_allclose(seen.probabilities, shares, rtol=1e-5)
    assert seen.outputs.tolist() == outputs.tolist() and seen.targets.tolist() == targets.tolist()
    assert len(seen) == len(targets) and seen.losses.dtype == np.float32


@given(answers(), st.booleans())
def test_top_losses_are_in_order_and_name_their_items(case, largest):
    seen = Interpretation.of(learner(*case))
    order = sorted(range(len(seen)), key=lambda i: seen.losses[i], reverse=largest)
    for k in (0, 1, len(seen), None):
        values, places = seen.top_losses(k, largest=largest)
        assert places.tolist() == order[: len(seen) if k is None else k]  # ties: the earlier first
        assert values.tolist() == [seen.losses[i] for i in places]


@given(answers(), st.integers(1, 3))
def test_most_confused_counts_every_mistake(case, min_count):
    outputs, targets, _ = case
    seen = Interpretation.of(learner(*case), classes="abcde"[: outputs.shape[1]])
    pairs = zip(targets, outputs.argmax(1), strict=True)
    want = Counter(("abcde"[t], "abcde"[p]) for t, p in pairs if t != p)
    got = seen.most_confused(min_count)
    assert {(a, p): n for a, p, n in got} == {pair: n for pair, n in want.items() if n >= min_count}
    assert [n for *_, n in got] == sorted((n for *_, n in got), reverse=True)


def test_a_loss_without_reduction_is_asked_item_by_item():
    outputs, targets = some_answers()
    want = Interpretation.of(learner(outputs, targets)).losses
    for loss in (lambda o, t: F.cross_entropy(o, t), nn.CrossEntropyLoss()):
        got = Interpretation.of(learner(outputs, targets, loss=loss)).losses
        np.testing.assert_allclose(got, want, rtol=1e-5)


def test_a_loss_that_is_nan_is_the_worst_of_all():
    seen = Interpretation(np.eye(3), np.eye(3), np.arange(3), np.array([1.0, np.nan, 2.0]), "abc")
    assert seen.top_losses()[1].tolist() == [1, 2, 0]
    assert seen.top_losses(largest=False)[1].tolist() == [0, 2, 1]


def test_class_names_and_inputs_come_from_the_dataset():
    images = np.arange(5 * 16, dtype=np.uint8).reshape(5, 4, 4)
    data = Images(images, [0, 1, 2, 0, 1], ["cat", "dog", "owl"])

    class Mean(nn.Module):
        def forward(self, x):
            return x.reshape(len(x), 16)[:, :3]

    learn = Learner(Mean(), [], DataLoader(data, 2), optimizer=lambda parameters: None)
    seen = Interpretation.of(learn)
    assert seen.classes == ("cat", "dog", "owl")
    np.testing.assert_array_equal(seen.inputs([3, 1]), images[[3, 1], None] / np.float32(255))


# ---------------------------------------------------------------- predictions

ACTIVATIONS = [
    (F.cross_entropy, lambda x: torch_F.softmax(x, 1)),
    (partial(F.cross_entropy, label_smoothing=0.1), lambda x: torch_F.softmax(x, 1)),
    (nn.CrossEntropyLoss(), lambda x: torch_F.softmax(x, 1)),
    (F.binary_cross_entropy_with_logits, torch.sigmoid),
    (nn.BCEWithLogitsLoss(), torch.sigmoid),
    (F.nll_loss, torch.exp),
    (nn.NLLLoss(), torch.exp),
    (F.mse_loss, lambda x: x),
]


@pytest.mark.parametrize("loss, activation", ACTIVATIONS)
def test_get_preds_gives_what_the_loss_speaks_of(loss, activation):
    outputs, targets = some_answers()
    predictions, got = learner(outputs, targets, loss=loss).get_preds()
    want = activation(torch.tensor(outputs)).numpy()
    np.testing.assert_allclose(predictions.numpy(), want, rtol=1e-5)
    assert got.tolist() == targets.tolist() and not predictions.requires_grad


def test_get_preds_of_other_data():
    data = [(ml.tensor([[0.0, 0.0]]), ml.tensor([1]))]
    predictions, targets = learner(np.ones((2, 3), np.float32), np.zeros(2, int)).get_preds(data)
    assert predictions.tolist() == [[0.5, 0.5]] and targets.tolist() == [1]


class Scores(nn.Module):
    """Scores that show in which mode they were made."""

    def forward(self, x):
        assert not self.training
        return x.reshape(len(x), 3)


@pytest.mark.parametrize("training", [True, False])
def test_predict_uses_and_restores_the_mode(training):
    model = Scores().train(training)
    x = np.random.default_rng(1).normal(size=(4, 1, 1, 3))
    want = torch_F.softmax(torch.tensor(x).reshape(4, 3), 1)
    for images in (x, ml.tensor(x.astype(np.float32))):
        got = predict(model, images)
        np.testing.assert_allclose(got.numpy(), want.numpy(), rtol=1e-5)
        assert got.dtype == np.float32 and model.training == training
    with pytest.raises(Exception, match="reshape"):
        predict(model, x[..., :2])
    assert model.training == training


# ---------------------------------------------------------------- bad input


def test_bad_questions_are_refused_in_a_sentence():
    learn = learner(np.eye(3, dtype=np.float32), np.arange(3))
    seen = Interpretation.of(learn)
    for k in (-1, 4):
        with pytest.raises(ValueError, match=f"k={k}, but there are 3 items"):
            seen.top_losses(k)
    with pytest.raises(ValueError, match="min_count must be 1 or more"):
        seen.most_confused(0)
    with pytest.raises(ShapeError, match="give a single image as"):
        predict(Scores(), ml.tensor(np.zeros((1, 4, 4), np.float32)))


@pytest.mark.parametrize("ask", [Interpretation.of, Learner.get_preds])
def test_data_that_is_missing_or_empty(ask):
    learn = learner(np.eye(3, dtype=np.float32), np.arange(3))
    with pytest.raises(ValueError, match="at least one item|with an item"):
        ask(learn, [])
    learn.valid = None
    with pytest.raises(ValueError, match="no validation data"):
        ask(learn)


def test_a_shuffled_loader_is_refused():
    data = TensorDataset(np.eye(3, dtype=np.float32), np.arange(3))
    learn = learner(np.eye(3, dtype=np.float32), np.arange(3))
    with pytest.raises(ValueError, match="shuffles"):
        Interpretation.of(learn, DataLoader(data, 2, shuffle=True))


def test_batches_without_a_dataset_have_no_inputs():
    learn = learner(np.eye(3, dtype=np.float32), np.arange(3))
    seen = Interpretation.of(learn, [(ml.tensor([[0.0, 1.0]]), ml.tensor([1]))])
    assert seen.classes == ("0", "1")
    with pytest.raises(ValueError, match="not known where the items come from"):
        seen.inputs([0])


@pytest.mark.parametrize("outputs, targets, classes", [
    ((3, 2), [0, 1], "ab"),
    ((2, 2), [0, 1], "abc"),
    ((2, 2, 2), [0, 1], "ab"),
    ((2, 2), [0, 2], "ab"),
    ((2, 2), [-1, 0], "ab"),
    ((2, 2), [0.0, 1.0], "ab"),
])
def test_parts_that_do_not_fit_together(outputs, targets, classes):
    array = np.zeros(outputs)
    with pytest.raises(ValueError, match="Interpretation: "):
        Interpretation(array, array, np.array(targets), np.zeros(len(targets)), classes)
