"""Pictures as data: files, pairs, augmentation in one resample, damage to be undone.

A *picture* is what lies in a file: uint8 (H, W, 3), of any size; a *mask* is uint8 (H, W), a class
number at each pixel. An *image* is what a net sees: float32 (3, H, W), 0 to 1 until normalised.
"""

from .catalogue import load_pictures, picture_sources
from .cifar_files import cifar10
from .degrade import (
    Degrade,
    Grey,
    Holes,
    Jpeg,
    Noise,
    Number,
    NumberedJpeg,
    Shrink,
    Text,
    degradation,
)
from .drawn_shapes import SHAPE_CLASSES, shapes
from .folder import Masks, Pictures, split_pictures
from .pairs import CIFAR, IMAGENET, Labelled, Pairs, Views, pair_loaders
from .pets_files import pets, pets_masks
from .photo_files import benchmark, bsds, photos
from .preparation import Prepared, box_mask, prepare
from .reading import (
    read_mask,
    read_picture,
    resize_picture,
    to_image,
    to_picture,
)
from .view import Augment, View
from .writing import write_picture
