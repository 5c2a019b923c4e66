"""Composites of ops with the names of torch.nn.functional; none has a gradient rule of its own."""

from ..ops.gather import one_hot
from .activation import (
    celu,
    elu,
    gelu,
    glu,
    hardshrink,
    hardsigmoid,
    hardswish,
    hardtanh,
    leaky_relu,
    log_softmax,
    logsigmoid,
    mish,
    prelu,
    relu,
    relu6,
    rrelu,
    selu,
    sigmoid,
    silu,
    softmax,
    softmin,
    softplus,
    softshrink,
    softsign,
    tanh,
    tanhshrink,
    threshold,
)
from .adaptive_pool import (
    adaptive_avg_pool1d,
    adaptive_avg_pool2d,
    adaptive_max_pool1d,
    adaptive_max_pool2d,
)
from .attention import scaled_dot_product_attention
from .columns import fold, unfold
from .conv import conv1d, conv2d, conv_transpose1d, conv_transpose2d
from .cross_entropy import cross_entropy, nll_loss
from .dropout import dropout, dropout1d, dropout2d
from .embedding import embedding
from .linear import bilinear, linear
from .loss import (
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    cosine_similarity,
    huber_loss,
    kl_div,
    l1_loss,
    mse_loss,
    smooth_l1_loss,
)
from .norm import batch_norm, group_norm, instance_norm, layer_norm, normalize, rms_norm
from .pad import pad
from .pictures import denormalize, dice, gram_matrix, iou, overlaps, psnr, ssim, total_variation
from .pool import avg_pool1d, avg_pool2d, max_pool1d, max_pool2d
from .resize import interpolate, pixel_shuffle, pixel_unshuffle
from .sample import affine_grid, grid_sample
