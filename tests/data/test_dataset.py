"""Datasets and their splits, against torch's."""

import numpy as np
import pytest
import torch
import torch.utils.data as torch_data
from hypothesis import given
from hypothesis import strategies as st

import minilearn as ml
from minilearn.data import ConcatDataset, Dataset, Subset, TensorDataset, random_split
from minilearn.data.collate import take
from minilearn.errors import ShapeError
from minilearn.tensor import Tensor

# ---------------------------------------------------------------- Dataset


def test_a_dataset_without_its_two_methods_says_which_to_write():
    class Empty(Dataset):
        pass

    with pytest.raises(NotImplementedError, match=r"Empty must define __len__"):
        len(Empty())
    with pytest.raises(NotImplementedError, match=r"Empty must define __getitem__"):
        Empty()[0]


def test_two_datasets_add_up():
    one, two = (TensorDataset(np.full(n, float(n))) for n in (2, 3))
    assert [row[0] for row in one + two] == [2.0, 2.0, 3.0, 3.0, 3.0]


# ---------------------------------------------------------------- TensorDataset


def test_tensor_dataset_gives_rows_as_torch_does():
    x, y = np.arange(6.0).reshape(3, 2), np.array([4, 5, 6])
    ours = TensorDataset(x, y)
    theirs = torch_data.TensorDataset(torch.tensor(x), torch.tensor(y))
    assert len(ours) == len(theirs) == 3
    for i in (0, 2, -1):
        assert isinstance(ours[i], tuple)
        assert all((a == b.numpy()).all() for a, b in zip(ours[i], theirs[i], strict=True))


def test_tensor_dataset_of_tensors_batches_on_the_host():
    x = Tensor(np.arange(6.0).reshape(3, 2), requires_grad=True)
    (batch,) = TensorDataset(x).batch(np.array([2, 0]))
    assert type(batch) is np.ndarray
    assert batch.tolist() == [[4.0, 5.0], [0.0, 1.0]]


@pytest.mark.parametrize("shapes", [[(2,), (3,)], [()], [], [(2, 3), (3, 2)]])
def test_tensor_dataset_refuses_unequal_lengths_and_names_the_shapes(shapes):
    with pytest.raises(ShapeError, match="TensorDataset") as caught:
        TensorDataset(*(np.zeros(shape) for shape in shapes))
    assert str(shapes) in str(caught.value)


# ---------------------------------------------------------------- Subset, ConcatDataset


@given(st.lists(st.integers(0, 6), max_size=8), st.data())
def test_a_subset_of_a_subset_gives_the_same_items_one_by_one_and_in_a_batch(outer, data):
    subset = Subset(TensorDataset(np.arange(7) * 10), outer)
    places = st.lists(st.integers(0, max(len(outer) - 1, 0)), min_size=1, max_size=5)
    inner = data.draw(places) if outer else []
    twice = Subset(subset, inner)
    expected = [outer[i] * 10 for i in inner]
    assert [twice[i][0] for i in range(len(twice))] == expected
    if inner:
        assert take(twice, np.arange(len(inner)))[0].tolist() == expected


@given(st.lists(st.integers(0, 4), min_size=1, max_size=5))
def test_concat_is_torchs_concat(lengths):
    parts = [[100 * i + j for j in range(n)] for i, n in enumerate(lengths)]
    ours, theirs = ConcatDataset(parts), torch_data.ConcatDataset(parts)
    assert len(ours) == len(theirs)
    assert ours.cumulative_sizes == theirs.cumulative_sizes
    for i in range(-len(ours), len(ours)):
        assert ours[i] == theirs[i]
    for outside in (len(ours), -len(ours) - 1):
        with pytest.raises(IndexError, match=f"no item {outside}"):
            ours[outside]


def test_concat_of_nothing_is_refused():
    with pytest.raises(ValueError, match="no datasets"):
        ConcatDataset([])


# ---------------------------------------------------------------- random_split

lengths_or_fractions = st.one_of(
    st.lists(st.integers(1, 9), min_size=1, max_size=4).map(lambda counts: (sum(counts), counts)),
    st.tuples(st.integers(12, 60), st.sampled_from([[1.0], [0.5, 0.5], [0.3, 0.3, 0.4],
                                                    [0.1] * 10, [1 / 3] * 3, [0.75, 0.25]])),
)


@given(lengths_or_fractions, st.integers(0, 9))
def test_split_has_torchs_lengths_and_every_item_once(case, seed):
    total, lengths = case
    ours = random_split(range(total), lengths, np.random.default_rng(seed))
    theirs = torch_data.random_split(range(total), lengths)
    assert [len(part) for part in ours] == [len(part) for part in theirs]
    assert sorted(item for part in ours for item in part) == list(range(total))


def test_split_is_random_and_repeats_with_its_seed():
    def split(seed):
        return list(random_split(range(50), [0.5, 0.5], np.random.default_rng(seed))[0])

    assert split(1) == split(1) != split(2)
    assert split(1) != sorted(split(1))


def test_split_draws_from_the_frameworks_generator():
    ml.xp.manual_seed(3)
    first = random_split(range(20), [10, 10])[0].indices
    ml.xp.manual_seed(3)
    assert random_split(range(20), [10, 10])[0].indices == first
    assert random_split(range(20), [10, 10])[0].indices != first


@pytest.mark.parametrize(
    "lengths", [[1, 1], [0.5, 0.6], [0.5, 0.4], [1.5, -0.5], [-1, 11], [2.5, 7.5]]
)
def test_split_refuses_lengths_that_do_not_fit(lengths):
    with pytest.raises(ValueError, match="random_split"):
        random_split(range(10), lengths)


@pytest.mark.parametrize("split", [random_split, torch_data.random_split])
def test_a_fraction_of_nothing_is_warned_of_as_in_torch_and_a_count_of_0_is_not(split):
    with pytest.warns(UserWarning, match="empty") as caught:
        assert [len(part) for part in split(range(3), [1.0, 0.0])] == [3, 0]
    assert split is torch_data.random_split or caught[0].filename == __file__
    assert [len(part) for part in split(range(3), [3, 0])] == [3, 0]


def test_split_says_what_a_generator_is():
    with pytest.raises(TypeError, match=r"random_split: generator .* got int.*default_rng"):
        random_split(range(3), [2, 1], 42)
