"""Grids of images: what is drawn is what was given, and nothing is drawn twice or over another."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import minilearn as ml
from minilearn import viz
from minilearn.data import Normalize, RandomPadCrop
from minilearn.errors import ShapeError


def pictures(figure):
    """The arrays of a figure's images, in reading order."""
    return [image.get_array() for axes in figure.axes for image in axes.get_images()]


def titles(figure):
    return [axes.get_title() for axes in figure.axes if axes.get_images()]


def random(shape, seed=0):
    return np.random.default_rng(seed).random(shape, dtype=np.float32)


@settings(max_examples=15)
@given(count=st.integers(1, 7), columns=st.one_of(st.none(), st.integers(1, 9)),
       channels=st.sampled_from([1, 3]), tensor=st.booleans())
def test_every_image_is_drawn_once_in_order(count, columns, channels, tensor):
    images = random((count, channels, 3, 2))
    names = [f"image {i}" for i in range(count)]
    figure = viz.image_grid(ml.tensor(images) if tensor else images, names, columns=columns)
    want = images.transpose(0, 2, 3, 1)
    want = want[..., 0] if channels == 1 else want
    np.testing.assert_array_equal(np.stack(pictures(figure)), want)
    assert titles(figure) == names
    wide = min(columns or int(np.ceil(count**0.5)), count)
    assert figure.axes[0].get_gridspec().ncols == wide
    assert len(figure.axes) == wide * -(-count // wide)


def test_grey_is_dark_ink_on_white_over_the_full_range():
    image = viz.image_grid(np.full((1, 1, 2, 2), 0.5, np.float32)).axes[0].get_images()[0]
    assert image.get_clim() == (0, 1) and image.get_cmap()(0.0)[:3] == (1, 1, 1)


def test_bytes_are_scaled_and_floats_cut_off():
    got = pictures(viz.image_grid(np.array([[[[0, 51, 255]]]], np.uint8)))[0]
    np.testing.assert_allclose(got, [[0, 0.2, 1]], rtol=1e-6)
    assert pictures(viz.image_grid(np.array([[[[-1.0, 2.0]]]])))[0].tolist() == [[0, 1]]


def test_normalisation_is_undone():
    images = random((2, 3, 4, 4))
    normalize = Normalize([0.1, 0.2, 0.3], [0.5, 0.6, 0.7])
    got = pictures(viz.image_grid(ml.tensor(normalize(images)), normalize=normalize))
    np.testing.assert_allclose(np.stack(got), images.transpose(0, 2, 3, 1), atol=1e-6)


@pytest.mark.parametrize("count", [1, 4, 9])
def test_a_labelled_batch_shows_the_first_images_with_their_classes(count):
    images, labels = random((12, 1, 3, 3)), np.arange(12) % 3
    names = ["cat", "dog", "owl"]
    figure = viz.labelled_batch(ml.tensor(images), ml.tensor(labels), names, count=count)
    assert titles(figure) == [names[i % 3] for i in range(count)]
    np.testing.assert_array_equal(np.stack(pictures(figure)), images[:count, 0])
    assert titles(viz.labelled_batch(images, labels, count=3)) == ["0", "1", "2"]


def test_augmentations_are_draws_of_one_image():
    image = random((1, 6, 6))
    crop = RandomPadCrop(2, 6)
    figure = viz.augmentations(image, crop, count=9, seed=5)
    want = crop(np.repeat(image[None], 9, 0), np.random.default_rng(5))
    np.testing.assert_array_equal(np.stack(pictures(figure)), want[:, 0])
    assert len({picture.tobytes() for picture in pictures(figure)}) > 3
    assert len(figure.axes) == 9


# ---------------------------------------------------------------- legible


def overlaps(figure):
    """Pairs of texts that touch each other, and texts that leave the figure."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.text import Text

    FigureCanvasAgg(figure).draw()
    texts = [t for t in figure.findobj(Text) if t.get_visible() and t.get_text().strip()]
    boxes = [(t.get_text(), t.get_window_extent()) for t in texts]
    width, height = figure.bbox.size
    cut = [t for t, b in boxes if min(b.x0, b.y0) < 0 or b.x1 > width or b.y1 > height]
    pairs = [(a, b) for i, (a, x) in enumerate(boxes) for b, y in boxes[:i] if x.overlaps(y)]
    return cut + pairs


@pytest.mark.parametrize("count, name, heading, caption", [
    (9, "7", "A batch", ""),
    (1, "7", "A heading that is far longer than one image is wide", "and a caption\nof two lines"),
    (5, "american_pit_bull_terrier\n/ english_cocker_spaniel\n4.00 / 0.123", "Largest losses", "x"),
])
def test_texts_do_not_overlap(count, name, heading, caption):
    names = [name] * count
    figure = viz.image_grid(random((count, 1, 8, 8)), names, heading=heading, caption=caption)
    assert overlaps(figure) == []


# ---------------------------------------------------------------- bad input


@pytest.mark.parametrize("shape", [(4, 4), (1, 4, 4), (2, 2, 4, 4), (2, 4, 4, 3), (1, 1, 1, 4, 4)])
def test_wrong_shapes_are_named(shape):
    with pytest.raises(ShapeError, match=r"\(N, C, H, W\)") as error:
        viz.image_grid(np.zeros(shape, np.float32))
    assert str(shape) in str(error.value)


def test_what_cannot_be_drawn_is_refused():
    images, labels = random((3, 1, 4, 4)), np.arange(3)
    with pytest.raises(ValueError, match="no images to draw"):
        viz.image_grid(images[:0])
    with pytest.raises(ValueError, match="2 titles for 3 images"):
        viz.image_grid(images, ["a", "b"])
    with pytest.raises(ValueError, match="columns must be 1 or more"):
        viz.image_grid(images, columns=0)
    for count in (0, 4):
        with pytest.raises(ValueError, match=f"count={count}, but the batch has 3 images"):
            viz.labelled_batch(images, labels, count=count)
    with pytest.raises(ShapeError, match="labels"):
        viz.labelled_batch(images, labels[:2], count=1)
    with pytest.raises(ShapeError, match=r"\(C, H, W\)"):
        viz.augmentations(images)
    with pytest.raises(ValueError, match="count must be 1 or more"):
        viz.augmentations(images[0], count=0)
    with pytest.raises(TypeError, match="uint8"):
        viz.image_grid(images.astype(np.int64))
