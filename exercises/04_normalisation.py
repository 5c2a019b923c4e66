"""Lesson 4, normalisation: numbers kept near 0 and 1 on their way through a deep net; dropout."""

import numpy as np


# ----------------------------------------------------------------
# 4.1 batch_norm: Batch norm in training
# About 15 minutes, difficulty 2 of 3, 5 points.
def batch_norm(x, weight, bias, eps=1e-5):
    """Normalise each channel of pictures x (N, C, H, W) over the batch, as in training.

    The mean and the variance of channel c are those of the N * H * W numbers x[:, c], and

        y[n, c, h, w] = (x[n, c, h, w] - mean[c]) / sqrt(var[c] + eps) * weight[c] + bias[c]

    The variance is the biased one: the mean of the squared distances from the mean. It must be
    right also where the mean is much larger than the distances from it. weight, bias: (C,).
    Returns y, of the shape and dtype of x; x itself is not changed. Source: Ioffe & Szegedy 2015.
    """
    raise NotImplementedError("batch_norm")


# ----------------------------------------------------------------
# 4.2 running_statistics: What batch norm remembers
# About 12 minutes, difficulty 2 of 3, 5 points.
def running_statistics(running_mean, running_var, x, momentum=0.1):
    """Move the running statistics of batch norm towards those of one batch x (N, C, H, W).

    running_mean, running_var: (C,), one of each per channel. Both become

        (1 - momentum) * running + momentum * batch

    so a momentum of 0 changes nothing, and 1 keeps the last batch only. The batch's mean and
    variance are over its n = N * H * W numbers per channel. The variance here is the *unbiased*
    one, whose sum of squares is divided by n - 1: it stands for all pictures, not for this batch.

    Returns the two new arrays; the old ones are not changed. Raises ValueError when n is 1.
    """
    raise NotImplementedError("running_statistics")


# ----------------------------------------------------------------
# 4.3 batch_norm_eval: Batch norm in evaluation
# About 8 minutes, difficulty 1 of 3, 4 points.
def batch_norm_eval(x, running_mean, running_var, weight, bias, eps=1e-5):
    """Normalise pictures x (N, C, H, W) as batch norm does it after training, in evaluation.

    The same formula as in training, but with the running statistics in place of the batch's:

        y[n, c, h, w] = (x[n, c, h, w] - running_mean[c]) / sqrt(running_var[c] + eps)
                        * weight[c] + bias[c]

    So what comes out for one picture does not depend on the others, and a single one will do.
    running_mean, running_var, weight, bias: (C,). Returns y, of the shape and dtype of x.
    """
    raise NotImplementedError("batch_norm_eval")


# ----------------------------------------------------------------
# 4.4 batch_norm_grad: Batch norm backwards
# About 30 minutes, difficulty 3 of 3, 5 points.
def batch_norm_grad(g, x, weight, eps=1e-5):
    """Return the gradients of `batch_norm(x, weight, bias, eps)`: dx, dweight and dbias.

    g (N, C, H, W) is the gradient of a loss with respect to the result y; returned are those with
    respect to x (N, C, H, W), weight (C,) and bias (C,). Per channel, with xhat the normalised
    numbers (before weight and bias) and the sums and means over its N * H * W places:

        dbias = sum of g        dweight = sum of g * xhat

    For dx, y depends on x in three ways: directly, through the mean, and through the variance.
    Worked out, the two detours take away from g its mean, and its part along xhat:

        dx = weight / sqrt(var + eps) * (g - mean(g) - xhat * mean(g * xhat))

    The variance is the biased one. g and x are not changed.
    """
    raise NotImplementedError("batch_norm_grad")


# ----------------------------------------------------------------
# 4.5 BatchNorm: Batch norm as a layer
# About 15 minutes, difficulty 2 of 3, 6 points. Given: batch_norm, batch_norm_eval and
# running_statistics, which you have written; `eval`.
class BatchNorm:
    """Batch norm as a layer: it learns statistics in training, and uses them in evaluation.

    Its attributes, which others read and set:

        weight, bias                (C,): 1 and 0 at first
        running_mean, running_var   (C,): 0 and 1 at first
        eps, momentum               numbers
        training                    True at first

    Use the functions above; the arrays are float64.
    """

    def __init__(self, channels, eps=1e-5, momentum=0.1):
        """Make a layer for pictures of that many channels (C), each with its own arrays."""
        raise NotImplementedError("BatchNorm.__init__")

    def train(self, mode=True):
        """Go over to training, or with mode=False to evaluation. Returns the layer itself."""
        raise NotImplementedError("BatchNorm.train")

    def eval(self):  # given
        """Go over to evaluation. Returns the layer itself."""
        return self.train(False)

    def __call__(self, x):
        """Return x (N, C, H, W) normalised: by the batch in training, else by what was learned.

        In training the running statistics are then moved by the momentum; in evaluation they stay
        as they are. Raises ValueError in training when there is one number per channel only.
        """
        raise NotImplementedError("BatchNorm.__call__")


# ----------------------------------------------------------------
# 4.6 standardise: Each row to mean 0 and variance 1
# About 10 minutes, difficulty 2 of 3, 6 points.
def standardise(x, rows, eps=1e-5):
    """See x as that many rows, and normalise each: the heart of the layer, group and instance norm.

    The numbers of x are taken in their order in memory (row-major) and cut into `rows` rows of
    equal length. Each becomes (row - mean) / sqrt(var + eps), with its own mean and its own biased
    variance, and is put back in its place.

    x: of any shape. Returns the shape and dtype of x; x itself is not changed. Raises ValueError
    when x cannot be cut into that many equal rows.
    """
    raise NotImplementedError("standardise")


# ----------------------------------------------------------------
# 4.7 layer_norm: Layer norm
# About 8 minutes, difficulty 2 of 3, 5 points. Given: standardise, which you have written.
def layer_norm(x, weight, bias, eps=1e-5):
    """Normalise each example on its own, over the last dimensions of x: those that weight has.

    With weight (D,) each vector along the last dimension of x gets mean 0 and variance 1 (eps is
    added to the biased variance, under the root); with weight (H, W) each picture. Then every
    place has its own weight and bias. Words and batches do not mix, so it is the same in training
    and in evaluation.

    x: (..., *weight.shape); weight, bias: of one shape. Returns the shape and dtype of x. Raises
    ValueError when the last dimensions of x are not those of weight. Source: Ba et al. 2016.
    """
    raise NotImplementedError("layer_norm")


# ----------------------------------------------------------------
# 4.8 group_norm: Group norm
# About 10 minutes, difficulty 2 of 3, 5 points. Given: standardise, which you have written.
def group_norm(x, num_groups, weight, bias, eps=1e-5):
    """Normalise groups of channels of each picture: x (N, C, H, W), C a multiple of num_groups.

    The first C / num_groups channels are the first group, the next ones the second, and so on.
    Each group of each picture gets mean 0 and variance 1 over its channels and places together
    (eps is added to the biased variance, under the root). Then every channel is multiplied by its
    weight, and its bias is added: both (C,).

    Returns the shape and dtype of x. Raises ValueError when the channels cannot be put into that
    many equal groups. Source: Wu & He 2018.
    """
    raise NotImplementedError("group_norm")


# ----------------------------------------------------------------
# 4.9 instance_norm: Instance norm
# About 5 minutes, difficulty 1 of 3, 4 points. Given: standardise, which you have written.
def instance_norm(x, weight, bias, eps=1e-5):
    """Normalise each channel of each picture on its own: x (N, C, H, W).

    Each of the N * C planes gets mean 0 and variance 1 over its H * W places (eps is added to the
    biased variance, under the root). Then every channel is multiplied by its weight, and its bias
    is added: both (C,). Contrast and brightness of a picture are gone after it, which is why style
    transfer uses it.

    Returns the shape and dtype of x. Source: Ulyanov et al. 2016.
    """
    raise NotImplementedError("instance_norm")


# ----------------------------------------------------------------
# 4.10 dropout: Dropout
# About 8 minutes, difficulty 1 of 3, 7 points.
def dropout(x, u, p=0.5, training=True):
    """Set a random part of x to zero in training, and make up for it by scaling the rest.

    u: random numbers in [0, 1), of the shape of x. An element of x stays where its u is at least
    p: so each is dropped with probability p. Those that stay are multiplied by 1 / (1 - p), so
    that the mean is expected to stay what it was. With p = 1 all are dropped. In evaluation
    (training=False) nothing is dropped and nothing scaled.

    Returns the shape and dtype of x; x is not changed. Raises ValueError, in evaluation as well,
    when p is not from 0 to 1. Source: Srivastava et al. 2014.
    """
    raise NotImplementedError("dropout")
