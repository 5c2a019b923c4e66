"""The loader: order, batches and resuming; against torch's where chance plays no part."""

import json

import numpy as np
import pytest
import torch
import torch.utils.data as torch_data
from hypothesis import given
from hypothesis import strategies as st

import minilearn as ml
from minilearn.data import DataLoader, RandomPadCrop, TensorDataset, on_inputs
from minilearn.errors import ShapeError
from minilearn.tensor import Tensor

sizes = st.integers(1, 40)
batch_sizes = st.integers(1, 12)
seeds = st.integers(0, 2**32)


def values(loader):
    """Return the batches of one epoch as lists of numbers."""
    return [batch.numpy().tolist() for batch in loader]


def noise(batch, generator):
    """A batch transform with chance: number plus noise."""
    return batch + generator.standard_normal(batch.shape)


# ---------------------------------------------------------------- batches


@given(st.integers(0, 40), batch_sizes, st.booleans())
def test_unshuffled_batches_are_torchs(size, batch_size, drop_last):
    x, y = np.arange(size * 2.0).reshape(size, 2), np.arange(size) % 3
    ours = DataLoader(TensorDataset(x, y), batch_size, drop_last=drop_last)
    tensors = torch_data.TensorDataset(torch.tensor(x), torch.tensor(y))
    theirs = torch_data.DataLoader(tensors, batch_size, drop_last=drop_last)
    assert len(ours) == len(theirs)
    for mine, its in zip(ours, theirs, strict=True):
        assert type(mine) is type(its) is list
        for a, b in zip(mine, its, strict=True):
            assert isinstance(a, Tensor)
            assert a.dtype == b.numpy().dtype
            np.testing.assert_array_equal(a.numpy(), b.numpy())


@given(sizes, batch_sizes, st.booleans(), seeds)
def test_shuffled_order_is_a_permutation_and_drop_last_drops_only_the_rest(size, n, drop, seed):
    batches = values(DataLoader(range(size), n, shuffle=True, drop_last=drop, seed=seed))
    seen = [number for batch in batches for number in batch]
    assert len(seen) == len(set(seen)) == (size - size % n if drop else size)
    assert set(seen) <= set(range(size))
    assert {len(batch) for batch in batches[:-1]} <= {n}


def test_every_item_comes_first_about_equally_often():
    loader = DataLoader(range(4), 4, shuffle=True, seed=0)
    first = [next(iter(loader)).numpy()[0] for _ in range(400)]
    assert np.bincount(first, minlength=4).min() > 70


def test_items_are_fetched_one_by_one_where_there_is_no_batch_method():
    class Squares:
        def __len__(self):
            return 3

        def __getitem__(self, i):
            assert type(i) is int
            return {"i": i, "square": float(i * i)}

    (batch,) = DataLoader(Squares(), 3)
    assert batch["square"].numpy().tolist() == [0.0, 1.0, 4.0]


def test_collate_fn_takes_the_list_of_items():
    loader = DataLoader(["a", "bb", "ccc"], 2, collate_fn=lambda items: [len(s) for s in items])
    assert list(loader) == [[1, 2], [3]]


def test_a_ragged_item_is_named_by_its_place_in_the_dataset():
    items = [np.zeros(2)] * 5 + [np.zeros(3)]
    with pytest.raises(ShapeError, match=r"dataset\[5\] has shape \(3,\), but dataset\[4\] has"):
        list(DataLoader(items, 2))


def test_batches_do_not_share_memory_with_the_dataset():
    x = np.zeros((4, 2))
    for (batch,) in DataLoader(TensorDataset(x), 2):
        batch.data[...] = 1
    assert not x.any()


# ---------------------------------------------------------------- order


@given(st.integers(8, 40), batch_sizes, seeds)
def test_same_seed_same_epochs_and_each_epoch_another(size, batch_size, seed):
    one, two = (DataLoader(range(size), batch_size, shuffle=True, seed=seed) for _ in "12")
    epochs = [values(one) for _ in range(3)]
    assert epochs == [values(two) for _ in range(3)]
    assert epochs[0] != epochs[1]
    assert epochs[1] != epochs[2]


def test_a_generator_is_the_same_as_its_seed():
    seeded = DataLoader(range(30), 7, shuffle=True, seed=5)
    generator = np.random.default_rng(5)
    assert values(DataLoader(range(30), 7, shuffle=True, generator=generator)) == values(seeded)


def test_manual_seed_decides_where_no_seed_is_given():
    loader = DataLoader(range(30), 7, shuffle=True)
    ml.xp.manual_seed(1)
    first = values(loader)
    assert values(loader) != first
    ml.xp.manual_seed(1)
    assert values(loader) == first


def test_without_chance_no_random_number_is_drawn():
    ml.xp.manual_seed(1)
    before = ml.xp.generator().bit_generator.state
    values(DataLoader(range(30), 7))
    assert ml.xp.generator().bit_generator.state == before


def test_augmentation_differs_between_batches_and_epochs_but_repeats_with_the_seed():
    def epochs():
        loader = DataLoader(np.zeros(8), 4, seed=3, batch_transform=noise)
        return values(loader) + values(loader)

    assert epochs() == epochs()
    assert len({tuple(batch) for batch in epochs()}) == 4


def test_order_and_augmentation_are_drawn_independently():
    orders = []

    def drawn_again(batch, generator):
        orders.extend([batch.tolist(), generator.permutation(30).tolist()])
        return batch

    list(DataLoader(range(30), 30, shuffle=True, seed=1, batch_transform=drawn_again))
    assert orders[0] != orders[1]


def test_the_batch_size_does_not_change_the_order():
    small, large = (DataLoader(range(24), n, shuffle=True, seed=4) for n in (2, 12))
    assert sum(values(small), []) == sum(values(large), [])


def test_two_loops_over_one_loader_do_not_disturb_each_other():
    loader = DataLoader(range(6), 2, shuffle=True, seed=2)
    alone = [values(loader) for _ in range(2)]
    loader = DataLoader(range(6), 2, shuffle=True, seed=2)
    pairs = [(a.numpy().tolist(), b.numpy().tolist()) for a, b in zip(loader, loader, strict=True)]
    assert [[a for a, _ in pairs], [b for _, b in pairs]] == alone


# ---------------------------------------------------------------- resuming


def loader_with_chance(seed):
    """A loader that shuffles and augments."""
    return DataLoader(np.arange(10.0), 3, shuffle=True, seed=seed, batch_transform=noise)


def through_json(state):
    """A checkpoint may keep the state as text."""
    return json.loads(json.dumps(state))


@given(st.integers(0, 11), seeds)
def test_a_restored_loader_goes_on_bit_for_bit(stop, seed):
    """12 batches, three epochs; the state is taken inside the loop, after `stop` + 1 of them."""
    loader, seen, state = loader_with_chance(seed), [], None
    for _ in range(3):
        for batch in loader:
            seen.append(batch.numpy().tobytes())
            if len(seen) == stop + 1:
                state = through_json(loader.state_dict())
    again = loader_with_chance(seed + 1)
    again.load_state_dict(state)
    rest = [batch.numpy().tobytes() for _ in range(3 - stop // 4) for batch in again]
    assert rest == seen[stop + 1 :]


@given(st.integers(0, 2), seeds)
def test_a_state_between_epochs_leads_to_the_next_epoch(epochs, seed):
    loader = loader_with_chance(seed)
    for _ in range(epochs):
        values(loader)
    state = through_json(loader.state_dict())
    again = loader_with_chance(seed + 1)
    again.load_state_dict(state)
    assert values(again) == values(loader)
    assert values(again) == values(loader)


def test_a_state_after_the_last_batch_has_nothing_left_of_its_epoch():
    loader = loader_with_chance(0)
    for _ in loader:
        state = loader.state_dict()
    again = loader_with_chance(1)
    again.load_state_dict(state)
    assert values(again) == []
    assert values(again) == values(loader)


def test_leaving_a_loop_early_ends_the_epoch():
    loader, other = loader_with_chance(0), loader_with_chance(0)
    for _ in loader:
        break
    values(other)
    assert loader.state_dict() == other.state_dict()
    assert values(loader) == values(other)


def test_an_iterator_that_was_abandoned_does_not_end_the_epoch_of_a_newer_one():
    loader = loader_with_chance(0)
    old = iter(loader)
    next(old)
    for place, _ in enumerate(loader):
        old.close()
        assert loader.state_dict()["next_batch"] == place + 1


def test_only_the_first_loop_after_restoring_goes_on_with_the_old_epoch():
    loader = loader_with_chance(0)
    for _ in loader:
        state = loader.state_dict()
    again = loader_with_chance(0)
    again.load_state_dict(state | {"next_batch": 1})
    old = iter(again)
    next(old)
    assert len(values(again)) == len(again)


def test_the_frameworks_generator_is_restored_too():
    ml.xp.manual_seed(1)
    loader = DataLoader(range(9), 2, shuffle=True)
    state = loader.state_dict()
    first = values(loader)
    loader.load_state_dict(state)
    assert values(loader) == first


@pytest.mark.parametrize("change, words", [
    ({"batch_size": 4}, "batch_size=4, this loader has batch_size=3"),
    ({"items": 11}, "items=11, this loader has items=10"),
    ({"extra": 1}, "extra"),
])
def test_a_state_of_another_loader_is_refused(change, words):
    loader = loader_with_chance(0)
    with pytest.raises(ValueError, match=words):
        loader.load_state_dict(loader.state_dict() | change)


def test_a_state_that_lacks_an_entry_is_refused():
    with pytest.raises(ValueError, match="next_batch"):
        loader_with_chance(0).load_state_dict({"items": 10})


# ---------------------------------------------------------------- bad arguments


@pytest.mark.parametrize("batch_size", [0, -1, 2.0, True, "2", None])
def test_batch_size_must_be_a_positive_integer(batch_size):
    with pytest.raises(ValueError, match=f"a positive integer, got {batch_size!r}"):
        DataLoader([1], batch_size)


@pytest.mark.parametrize("arguments, error, words", [
    ({"num_workers": 2}, TypeError, "num_workers"),
    ({"dataset": iter([1])}, TypeError, "__len__ and __getitem__"),
    ({"dataset": [], "shuffle": True}, ValueError, "empty"),
    ({"generator": 3}, TypeError, "numpy.random.Generator, got int"),
    ({"generator": np.random.default_rng(1), "seed": 1}, ValueError, "not both"),
    ({"seed": -1}, ValueError, "non-negative"),
])
def test_arguments_that_make_no_sense_are_refused(arguments, error, words):
    with pytest.raises(error, match=words):
        DataLoader(**{"dataset": [1]} | arguments)


def test_on_inputs_leaves_the_targets_alone():
    x, y = np.ones((4, 1, 28, 28), np.float32), np.arange(4)
    loader = DataLoader(TensorDataset(x, y), 4, batch_transform=on_inputs(RandomPadCrop(3, 28)))
    ((images, labels),) = loader
    assert images.shape == (4, 1, 28, 28)
    assert images.numpy().min() == 0
    assert labels.numpy().tolist() == [0, 1, 2, 3]


def test_on_inputs_refuses_a_batch_without_parts():
    with pytest.raises(TypeError, match=r"on_inputs: the batch is a ndarray"):
        list(DataLoader(np.zeros(3), batch_transform=on_inputs()))
