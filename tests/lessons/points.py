"""What students of the course's lesson 7 ask, miss or need to see: each is told in some lesson.

A point: the lesson that tells it, and words that stand there.
"""

POINTS = {
    1: ("03_convolution", "a grey picture is 1 x 28 x 28 and not 28 x 28"),
    2: ("02_training", "So it is our validation set, whatever its name"),
    3: ("05_resnet", "How many copies does that make"),
    4: ("05_resnet", "A photograph of a cat may be flipped. A digit may not"),
    5: ("04_normalisation", "Use them only with a net that was *trained* on pictures"),
    6: ("03_convolution", "Know your shapes"),
    7: ("05_resnet", "56 layers trained worse than 20"),
    8: ("05_resnet", "Three years after the trick came the pictures"),
    9: ("05_resnet", "put res blocks into any older architecture"),
    10: ("05_resnet", "How can it put things side by side when the grid shrinks"),
    11: ("07_unet", "where"),
    12: ("03_convolution", "See the uneven sums"),
    13: ("07_unet", "mix"),
    14: ("07_unet", "classif"),
    15: ("08_feature_loss", "stain"),
    16: ("08_feature_loss", "pretrained"),
    17: ("08_feature_loss", "eye"),
    18: ("10_gan", "blind"),
    19: ("10_gan", "momentum"),
    20: ("08_feature_loss", "perceptual"),
    21: ("08_feature_loss", "memory"),
    22: ("06_language", "64 pieces of the document"),
    23: ("06_language", "RNN is a loop"),
    24: ("06_language", "A **gate** is a number"),
    25: ("06_language", "build Model 5 **from scratch**"),
}
