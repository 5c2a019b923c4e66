"""Lesson 3, convolution: a small set of weights slides over an image, and what follows from it.

Images come as one array (N, C, H, W): N images of C channels, H rows and W columns. Weights are
(F, C, KH, KW): F filters, each with a kernel of KH rows and KW columns for every channel. An
element of a kernel is called a tap, and a position of the kernel on the image a place.

Arrays are float64 or float32, and every result has the dtype of the input. `np.einsum` is many
times as fast with `optimize=True`: it then multiplies matrices.
"""

import numpy as np


# ----------------------------------------------------------------
# 3.1 output_size: How large is the result?
# About 8 minutes, difficulty 1 of 3, 3 points.
def output_size(n, kernel, stride=1, padding=0, dilation=1):
    """Return the number of places of a kernel along an axis of n pixels, as an int.

    kernel: the number of taps. padding: pixels added at each of the two ends. stride: the distance
    in pixels between one place and the next. dilation: the distance in pixels between one tap and
    the next, 1 when they are neighbours. The first place is at the very beginning of the padded
    axis; a place counts only if all taps lie on the padded axis.

    Raises ValueError if the kernel does not fit once.
    Source: Dumoulin and Visin 2016, "A guide to convolution arithmetic", relation 15.
    """
    raise NotImplementedError("output_size")


# ----------------------------------------------------------------
# 3.2 receptive_field: How far does a stack of layers look?
# About 10 minutes, difficulty 2 of 3, 3 points.
def receptive_field(layers):
    """Return over how many input pixels, along one axis, a stack of convolutions looks, as an int.

    layers: a list of pairs (kernel, stride), in the order in which the data passes through them.
    One output of the last layer depends on a run of pixels of the first layer's input; the result
    is the length of that run, from its first pixel to its last. Without layers it is 1.

    A layer's taps are as far apart, counted in input pixels, as the outputs of the layer before it:
    the product of the strides of all layers before it. So every layer makes the run longer by that
    distance for each of its taps but one.
    """
    raise NotImplementedError("receptive_field")


# ----------------------------------------------------------------
# 3.3 conv2d_loops: Convolution, place by place
# About 15 minutes, difficulty 1 of 3, 5 points. Given: the names of w's sizes.
def conv2d_loops(x, w, stride=1, padding=0):
    """Return the convolution of one image x (C, H, W) with the filters w (F, C, KH, KW).

    Surround the image with `padding` rows and columns of zeros on all four sides. At place (i, j)
    the kernel's upper left corner lies on row i * stride and column j * stride of the padded image,
    and filter f gives the sum of all products of its weights with the pixels under them:

        y[f, i, j] = sum over c, k, l of  padded[c, i * stride + k, j * stride + l] * w[f, c, k, l]

    Loop over the places. Returns (F, OH, OW), with OH = (H + 2 * padding - KH) // stride + 1 and OW
    likewise; the kernel always fits.
    """
    F, C, KH, KW = w.shape
    # --- your code
    raise NotImplementedError("conv2d_loops")


# ----------------------------------------------------------------
# 3.4 conv2d: Convolution, tap by tap
# About 25 minutes, difficulty 3 of 3, 5 points. Given: the names of w's sizes.
def conv2d(x, w, b, stride=1, padding=0):
    """Return the convolution of the images x (N, C, H, W) with the filters w (F, C, KH, KW).

    The same sum as in `conv2d_loops`, for every image n, plus the bias b (F,):

        y[n, f, i, j] = b[f] + sum over c, k, l of
                        padded[n, c, i * stride + k, j * stride + l] * w[f, c, k, l]

    Do not loop over places, there are many. Loop over the taps (k, l), there are few: one tap
    meets, at all places together, every stride-th pixel of the padded images, beginning at row k
    and column l. Returns (N, F, OH, OW), with OH and OW as before; the kernel always fits.
    """
    F, C, KH, KW = w.shape
    # --- your code
    raise NotImplementedError("conv2d")


# ----------------------------------------------------------------
# 3.5 unfold: All windows as the columns of a matrix
# About 20 minutes, difficulty 2 of 3, 5 points. Given: the names of the sizes.
def unfold(x, kernel, stride=1, padding=0):
    """Return all windows of the images x (N, C, H, W), one window in each column ("im2col").

    kernel: the pair (KH, KW). Then `w.reshape(F, -1) @ unfold(x, (KH, KW), stride, padding)` holds
    all results of a convolution: it has become one product of matrices.

    Returns (N, C * KH * KW, OH * OW). Down a column the taps follow one another in the order in
    which `w.reshape(F, -1)` has them: channel by channel, in a channel row by row. From left to
    right the places follow one another row by row. The images are padded with zeros; the kernel
    always fits. torch calls this `nn.functional.unfold`.
    """
    N, C = x.shape[:2]
    KH, KW = kernel
    # --- your code
    raise NotImplementedError("unfold")


# ----------------------------------------------------------------
# 3.6 conv2d_grad_bias: The gradient to the bias
# About 5 minutes, difficulty 1 of 3, 3 points.
def conv2d_grad_bias(g):
    """Return the gradient of the loss with respect to the bias b (F,) of `conv2d`.

    g (N, F, OH, OW) is the gradient with respect to its result y: g[n, f, i, j] stands for
    dL / dy[n, f, i, j]. b[f] was added to y[n, f, i, j] for every n, i and j. Returns (F,).
    """
    raise NotImplementedError("conv2d_grad_bias")


# ----------------------------------------------------------------
# 3.7 conv2d_grad_weight: The gradient to the weights
# About 20 minutes, difficulty 2 of 3, 5 points. Given: the names of the sizes.
def conv2d_grad_weight(g, x, kernel, stride=1, padding=0):
    """Return the gradient of the loss with respect to the weights w (F, C, KH, KW) of `conv2d`.

    g (N, F, OH, OW): the gradient with respect to the result y. x (N, C, H, W): the images that
    `conv2d` was called with, not padded; stride, padding: as there. kernel: the pair (KH, KW).

    w[f, c, k, l] was multiplied by one pixel for every image and place. So its gradient is the sum
    of those pixels, each times the g of the result it went into:

        dw[f, c, k, l] = sum over n, i, j of
                         g[n, f, i, j] * padded[n, c, i * stride + k, j * stride + l]

    Some of the last rows or columns of the padded images may meet no tap at all. Returns
    (F, C, KH, KW).
    """
    (KH, KW), (OH, OW) = kernel, g.shape[2:]
    # --- your code
    raise NotImplementedError("conv2d_grad_weight")


# ----------------------------------------------------------------
# 3.8 conv2d_grad_input: The gradient to the images
# About 25 minutes, difficulty 3 of 3, 5 points. Given: the names of the sizes.
def conv2d_grad_input(g, w, size, stride=1, padding=0):
    """Return the gradient of the loss with respect to the images x (N, C, H, W) of `conv2d`.

    g (N, F, OH, OW): the gradient with respect to the result y. w (F, C, KH, KW), stride, padding:
    as in the call of `conv2d`. size: the pair (H, W), which g alone does not tell when stride > 1.

    Tap (k, l) at place (i, j) met the pixel in row i * stride + k and column j * stride + l of the
    padded images. There it sends the g of that place back, times its weight. What arrives at a
    pixel is summed, over all filters, places and taps:

        dpadded[n, c, r, s] = sum of g[n, f, i, j] * w[f, c, k, l] over all f, i, j, k, l
                              with i * stride + k = r and j * stride + l = s

    Pixels that no tap has met get 0. The padding is no part of x. Returns (N, C, H, W).
    """
    F, C, KH, KW = w.shape
    (N, _, OH, OW), (H, W) = g.shape, size
    # --- your code
    raise NotImplementedError("conv2d_grad_input")


# ----------------------------------------------------------------
# 3.9 conv_transpose2d: The transposed convolution
# About 25 minutes, difficulty 3 of 3, 7 points. Given: the names of the sizes.
def conv_transpose2d(x, w, b, stride=1, padding=0, output_padding=0):
    """Return the transposed convolution of the images x (N, C, H, W), with bias b (F,).

    It goes the way of a convolution backwards: from few pixels to many. Each input pixel (i, j)
    lays a copy of the kernel, times its value, on a canvas of zeros, with the upper left corner on
    row i * stride and column j * stride. Where copies overlap, they are added:

        canvas[n, f, i * stride + k, j * stride + l] += x[n, c, i, j] * w[c, f, k, l]

    w is (C, F, KH, KW): input channels first, the other way round than in `conv2d`. Here padding
    makes the result *smaller*: that many rows and columns are cut off the canvas on all four sides.
    output_padding moves the cut at the bottom and at the right outwards by that many rows and
    columns; where the cut then lies beyond the last copy, the canvas is 0. The bias is added to
    everything that remains. Returns (N, F, OH, OW) with

        OH = (H - 1) * stride - 2 * padding + KH + output_padding, and OW likewise; at least 1.

    Raises ValueError unless output_padding < stride.
    Source: Dumoulin and Visin 2016, "A guide to convolution arithmetic", relation 14.
    """
    N, C, H, W = x.shape
    F, KH, KW = w.shape[1:]
    # --- your code
    raise NotImplementedError("conv_transpose2d")


# ----------------------------------------------------------------
# 3.10 conv2d_dilated: Taps that stand apart
# About 15 minutes, difficulty 2 of 3, 4 points. Given: the names of the sizes and options.
def conv2d_dilated(x, w, b, stride=(1, 1), padding=(0, 0), dilation=(1, 1)):
    """Return the convolution of x (N, C, H, W) with w (F, C, KH, KW) and b (F,), taps apart.

    As `conv2d`, but neighbouring taps meet pixels that lie `dilation` apart: the kernel looks
    further without having more weights. And every option is a pair (for rows, for columns):
    stride (SH, SW), padding (PH, PW), dilation (DH, DW).

        y[n, f, i, j] = b[f] + sum over c, k, l of
                        padded[n, c, i * SH + k * DH, j * SW + l * DW] * w[f, c, k, l]

    Returns (N, F, OH, OW) with OH = (H + 2 * PH - DH * (KH - 1) - 1) // SH + 1, and OW likewise.
    The kernel always fits.
    """
    F, C, KH, KW = w.shape
    (SH, SW), (PH, PW), (DH, DW) = stride, padding, dilation
    # --- your code
    raise NotImplementedError("conv2d_dilated")


# ----------------------------------------------------------------
# 3.11 conv2d_general: Channels in groups
# About 20 minutes, difficulty 3 of 3, 5 points. Given: the names of the sizes and options.
def conv2d_general(x, w, b, stride=(1, 1), padding=(0, 0), dilation=(1, 1), groups=1):
    """Return the convolution of x (N, C, H, W) with w (F, C // groups, KH, KW), plus b (F,).

    As `conv2d_dilated`, with the channels in groups: the first C // groups input channels go to the
    first F // groups filters and to no other, the next to the next, and so on. groups=1 is the
    usual convolution; with groups=C every channel has filters of its own ("depthwise").

    Returns (N, F, OH, OW), the channels in the order of the filters. Raises ValueError if x has not
    `groups` times as many channels as w, or if F is no multiple of groups.
    """
    F, C, KH, KW = w.shape
    (SH, SW), (PH, PW), (DH, DW) = stride, padding, dilation
    # --- your code
    raise NotImplementedError("conv2d_general")


# ----------------------------------------------------------------
# 3.12 max_pool2d: The largest of every window
# About 15 minutes, difficulty 2 of 3, 6 points. Given: the names of the sizes.
def max_pool2d(x, kernel, stride=None, padding=(0, 0)):
    """Return the largest pixel of every window of the images x (N, C, H, W), in each channel.

    kernel (KH, KW): the size of the windows. stride (SH, SW): the distance from one window to the
    next; None means the same as kernel, so that windows lie side by side. padding (PH, PW): rows
    added at the top and at the bottom, columns added at the left and at the right. They make room
    for more windows, but they are never the largest, not even beside negative pixels.

    Returns (N, C, OH, OW) with OH = (H + 2 * PH - KH) // SH + 1 and OW likewise; the kernel always
    fits. Raises ValueError if the padding is more than half of the kernel (2 * PH > KH, or for the
    columns): a window could then lie in the padding alone.
    """
    (KH, KW), (PH, PW) = kernel, padding
    # --- your code
    raise NotImplementedError("max_pool2d")


# ----------------------------------------------------------------
# 3.13 max_pool2d_grad: The gradient of max pooling
# About 25 minutes, difficulty 3 of 3, 7 points. Given: the names of the sizes, and the stride.
def max_pool2d_grad(g, x, kernel, stride=None, padding=(0, 0)):
    """Return the gradient of the loss with respect to the images x (N, C, H, W) of `max_pool2d`.

    g (N, C, OH, OW): the gradient with respect to its result; the other arguments: as there.

    Each window sends its g to the pixel that was its largest, and nothing to its other pixels. If
    several are equally large, the first gets it all: the one in the highest row, and in that row
    the one furthest to the left. A pixel that wins in several windows gets the sum. The padding
    never wins. Returns (N, C, H, W); g and x stay as they are.
    """
    (KH, KW), (PH, PW), (H, W), (OH, OW) = kernel, padding, x.shape[2:], g.shape[2:]
    SH, SW = stride or kernel
    # --- your code
    raise NotImplementedError("max_pool2d_grad")


# ----------------------------------------------------------------
# 3.14 avg_pool2d: The mean of every window
# About 15 minutes, difficulty 2 of 3, 5 points. Given: the names of the sizes, and the stride.
def avg_pool2d(x, kernel, stride=None, padding=(0, 0), count_include_pad=True):
    """Return the mean of every window of the images x (N, C, H, W), in each channel.

    kernel (KH, KW), stride (SH, SW) or None, padding (PH, PW): as in `max_pool2d`; but here the
    padding is zeros, and they are part of the sum. The sum of a window is divided by the number of
    its pixels: by KH * KW if count_include_pad; else by the number of those that are not padding,
    of which every window has at least one.

    Returns (N, C, OH, OW), with OH and OW as in `max_pool2d`.
    """
    (KH, KW), (PH, PW) = kernel, padding
    SH, SW = stride or kernel
    # --- your code
    raise NotImplementedError("avg_pool2d")


# ----------------------------------------------------------------
# 3.15 avg_pool2d_grad: The gradient of average pooling
# About 15 minutes, difficulty 2 of 3, 5 points. Given: the names of the sizes, and the stride.
def avg_pool2d_grad(g, size, kernel, stride=None, padding=(0, 0)):
    """Return the gradient of the loss with respect to the images x (N, C, H, W) of `avg_pool2d`.

    g (N, C, OH, OW): the gradient with respect to its result, with count_include_pad=True. size:
    the pair (H, W). The other arguments: as there.

    Each pixel of a window has an equal share in its mean, and gets that share of the window's g. A
    pixel of several windows gets the sum; one of no window gets 0. What goes to the padding is
    lost. Returns (N, C, H, W); g stays as it is.
    """
    (KH, KW), (PH, PW), (H, W), (OH, OW) = kernel, padding, size, g.shape[2:]
    SH, SW = stride or kernel
    # --- your code
    raise NotImplementedError("avg_pool2d_grad")


# ----------------------------------------------------------------
# 3.16 adaptive_avg_pool2d: Pooling to a given size
# About 12 minutes, difficulty 2 of 3, 4 points. Given: the names of the sizes.
def adaptive_avg_pool2d(x, size):
    """Return the images x (N, C, H, W) averaged down, or spread, to a given size (OH, OW).

    Here the windows adapt: whatever H and W are, there are OH times OW of them, and together they
    cover the image. Along the rows, window i of OH begins at row i * H / OH, rounded down, and ends
    before row (i + 1) * H / OH, rounded up; along the columns likewise. So windows may share a
    row, and they need not be equally large. With size (1, 1) this is global average pooling.

    Returns (N, C, OH, OW): the mean of every window, in each channel. Loop over the places, there
    are few.
    """
    (H, W), (OH, OW) = x.shape[2:], size
    # --- your code
    raise NotImplementedError("adaptive_avg_pool2d")
