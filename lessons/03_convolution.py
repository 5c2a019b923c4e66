# %% [markdown]
# # 3 Convolution
#
# The nets so far did not know that a picture is a picture. A convolution knows: neighbouring pixels
# belong together, and a stroke is a stroke wherever it stands. This lesson builds it, forwards and
# backwards, and trains the net that read the cheques of the nineties.

# %%
import os

import numpy as np

import minilearn as ml
from minilearn import data, nn, train, viz
from minilearn.nn import functional as F

QUICK = os.environ.get("MINILEARN_QUICK") == "1"

# %% [markdown]
# ## The question
#
# Take all digits, and shuffle their pixels, all in the same way. You cannot read them any more. A
# net of linear layers does not even notice: to it, a picture is a list of 784 numbers in no order.

# %%
digits, held_out = data.load("digits")
shuffled = np.random.default_rng(0).permutation(784)
pictures = digits.images[:6]
mixed = pictures.reshape(6, 784)[:, shuffled].reshape(6, 1, 28, 28)
viz.show(viz.image_grid(np.concatenate([pictures, mixed]), columns=6,
                        heading="The same to a linear layer"))

# %% [markdown]
# So it must learn at each place anew what a stroke looks like. How do we tell a net what every
# child knows: that near pixels belong together, and that it does not matter where?

# %% [markdown]
# ## The idea
#
# Take a small set of weights, the *kernel*. Lay it on a corner of the picture, multiply what lies
# under each weight with it, and sum up. Move on by one pixel, and do it again. Each result says how
# well the picture at that place fits the kernel.

# %% tags=["hide-input"]
picture = np.array([[0, 0, 1, 0, 0], [0, 1, 1, 0, 0], [0, 0, 1, 0, 0],
                    [0, 0, 1, 0, 0], [0, 1, 1, 1, 0]], dtype=np.float32)
kernel = np.array([[-1, 1, 0], [-1, 1, 0], [-1, 1, 0]], dtype=np.float32)
found = F.conv2d(ml.tensor(picture)[None, None], ml.tensor(kernel)[None, None])[0, 0]
under, result = np.zeros((5, 5)), np.zeros((3, 3))
under[1:4, 1:4] = result[1, 1] = 1
viz.show(viz.number_grids({"picture": picture, "kernel": kernel, "result": found},
                          marked={"picture": under, "kernel": np.ones((3, 3)), "result": result},
                          between=["*", "="], heading="The kernel looks for a left edge"),
         "A picture of the digit one, 5 x 5; a kernel of 3 x 3 with -1, 1, 0 in each row; the "
         "result, 3 x 3. A frame shows which nine pixels make the middle of the result.")

# %% [markdown]
# This kernel finds left edges: dark to the right of light. Let us see it on a real digit, beside
# three others.

# %%
kernels = {"left edges": [[-1, 1, 0]] * 3, "upper edges": [[-1] * 3, [1] * 3, [0] * 3],
           "strokes": [[-1, 2, -1]] * 3, "blur": [[1 / 9] * 3] * 3}
w = ml.tensor(np.array(list(kernels.values()), dtype=np.float32))[:, None]  # (4, 1, 3, 3)
one = ml.tensor(digits.batch(np.array([3]))[0])  # (1, 1, 28, 28)
answers = F.conv2d(one, w, padding=1)[0].clamp(min=0)  # (4, 28, 28)
answers = answers / answers.amax(dim=(1, 2), keepdim=True)
viz.show(viz.image_grid(ml.cat([one[0], answers])[:, None], ["picture", *kernels], columns=5))

# %% [markdown]
# Nobody designs kernels in a net. They are parameters: training finds them. And there are few: 9
# weights serve all places of the picture. A linear layer from 784 pixels to 784 results has
# 614,656.

# %% [markdown]
# ## The maths
#
# With the kernel $w$ at row $i$ and column $j$ of the picture $x$,
#
# $$y_{ij} = b + \sum_k \sum_l x_{i+k,\, j+l}\; w_{kl}.$$
#
# Three numbers change how it walks. **Padding** puts zeros around the picture, so that the kernel
# can stand on the border. **Stride** is how far it goes each time; a stride of 2 halves the
# picture. **Dilation** pulls the weights apart.
#
# ### Exercise `output_size`: How large is the result?
#
# Count the places where the kernel fits. It is a fence-post problem: with 5 pixels and a kernel of
# 3 there are 3 places, not 2.
#
# ```sh
# minilearn check output_size
# ```
#
# ### Know your shapes
#
# Five convolutions with a kernel of 3, a stride of 2 and a padding of 1, on a digit of 28 x 28. The
# grid goes 28, 14, 7, 4, 2, 1. Why does 7 give 4? Half of 7 is 3.5, and the kernel stands on pixels
# 0, 2, 4 and 6: it rounds up.

# %%
x, sizes = ml.zeros(1, 1, 28, 28), [28]
for _ in range(5):
    x = F.conv2d(x, ml.zeros(1, 1, 3, 3), stride=2, padding=1)
    sizes.append(x.shape[-1])
sizes

# %% [markdown]
# Make it a habit. Run one batch through a new net by hand, and look at every shape:

# %%
small = nn.Sequential(nn.Conv2d(1, 8, 3, stride=2, padding=1), nn.ReLU(),
                      nn.Conv2d(8, 10, 3, stride=2, padding=1), nn.AdaptiveAvgPool2d(1))
x = ml.zeros(64, 1, 28, 28)
for layer in small:
    x = layer(x)
    print(f"{type(layer).__name__:18} {tuple(x.shape)}")

# %% [markdown]
# Two things surprise many. First, a grey picture is 1 x 28 x 28 and not 28 x 28: a convolution
# always has an axis for the **channels**, even for one. Colour has 3, and inside a net there are 8,
# 16 or 512. Second, the last shape is 64 x 10 x 1 x 1. That is not yet a row of ten scores for each
# picture, so a `Flatten` must follow.
#
# Each filter has a kernel for *every* channel of its input, and sums over all of them. Then there
# are as many output channels as there are filters. So the weights are (filters, channels, rows,
# columns).

# %% tags=["hide-input"]
viz.show(viz.diagram(
    {"a": (0, 0, "channel 1"), "b": (0, 1, "channel 2"), "f1": (1.4, -0.3, "filter 1: 2 kernels"),
     "f2": (1.4, 0.5, "filter 2: 2 kernels"), "f3": (1.4, 1.3, "filter 3: 2 kernels"),
     "y1": (2.8, -0.3, "result 1"), "y2": (2.8, 0.5, "result 2"), "y3": (2.8, 1.3, "result 3")},
    [("a", "f1"), ("b", "f1"), ("a", "f2"), ("b", "f2"), ("a", "f3"), ("b", "f3"), ("f1", "y1"),
     ("f2", "y2"), ("f3", "y3")], title="2 channels in, 3 out: weights (3, 2, KH, KW)"))

# %% [markdown]
# How much of the picture does one number deep in the net depend on? Its *receptive field* grows
# with each layer, and twice as fast after each stride of 2.
#
# ### Exercise `receptive_field`: How far does a stack of layers look?
#
# Walk through the layers, and remember how far apart the results lie in the picture.
#
# ```sh
# minilearn check receptive_field
# ```

# %% [markdown]
# ## Step by step
#
# ### First slow
#
# ### Exercise `conv2d_loops`: Convolution, place by place
#
# Begin with what the formula says: two loops over the places, and at each place a product and a
# sum.
#
# ```sh
# minilearn check conv2d_loops
# ```
#
# ### Then fast
#
# Python is slow at loops, and a picture has many places. A kernel has few weights. So turn it
# around: loop over the *weights*. One weight meets, at all places together, a shifted copy of the
# picture. Here is a moving average of three, first place by place, then weight by weight:

# %%
x, w = np.arange(10.0) ** 2, np.array([1 / 3, 1 / 3, 1 / 3])
by_place = np.array([sum(x[i + k] * w[k] for k in range(3)) for i in range(8)])
by_weight = sum(x[k : k + 8] * w[k] for k in range(3))
abs(by_place - by_weight).max()

# %% [markdown]
# ### Exercise `conv2d`: Convolution, tap by tap
#
# The same in two dimensions, for all pictures, channels and filters at once. Nine steps for a
# kernel of 3 x 3, whatever the size of the picture.
#
# ```sh
# minilearn check conv2d
# ```
#
# ### Exercise `unfold`: All windows as the columns of a matrix
#
# Another way: write every window as a column. Then a convolution is *one* matrix product, and
# matrix products are what computers do best.
#
# ```sh
# minilearn check unfold
# ```

# %% tags=["hide-input"]
x = np.arange(1.0, 10).reshape(3, 3)
columns = F.unfold(ml.tensor(x)[None, None], 2)[0]
marks, first = np.zeros((3, 3)), np.zeros((4, 4))
marks[:2, :2] = first[:, 0] = 1
viz.show(viz.number_grids({"picture": x, "windows": columns},
                          marked={"picture": marks, "windows": first},
                          between=["→"]),
         "A picture of 3 x 3 with the numbers 1 to 9. Its four windows of 2 x 2 stand as the "
         "columns of a matrix; the first is 1, 2, 4, 5.")

# %% [markdown]
# A convolution is a linear layer in disguise: most weights are zero, and the others repeat. Write
# it as a matrix, and you see why the way back is not hard either.

# %%
def as_matrix(w, size):
    rows = []
    for i in range(size * size):
        basis = np.zeros(size * size)
        basis[i] = 1  # one pixel at a time
        y = F.conv2d(ml.tensor(basis.reshape(1, 1, size, size)), ml.tensor(w)[None, None])
        rows.append(y.numpy().ravel())
    return np.stack(rows, axis=1)  # (results, pixels)


matrix = as_matrix(np.array([[1.0, 2.0], [3.0, 4.0]]), 3)
viz.show(viz.number_grids({"a kernel of 2 x 2 on a picture of 3 x 3": matrix}))

# %% [markdown]
# Four results, nine pixels. Each row has the four weights, at another place.
#
# ### The way back
#
# Three gradients, from easy to hard. Ask each time: *in which places did it act?*
#
# ### Exercise `conv2d_grad_bias`: The gradient to the bias
#
# It was added everywhere, so it gets the sum from everywhere.
#
# ```sh
# minilearn check conv2d_grad_bias
# ```
#
# ### Exercise `conv2d_grad_weight`: The gradient to the weights
#
# A weight met one pixel at each place. Sum over places and pictures: pixel times gradient.
#
# ```sh
# minilearn check conv2d_grad_weight
# ```
#
# ### Exercise `conv2d_grad_input`: The gradient to the images
#
# A pixel lay under several weights. Each sends back its share, to where it came from.
#
# ```sh
# minilearn check conv2d_grad_input
# ```
#
# ### From small to large
#
# That last gradient takes few numbers and makes a larger picture of them. It multiplies by the same
# matrix, turned on its side. As a layer of its own it is the **transposed convolution**. Nets that
# *draw* need it: each input lays a copy of the kernel, times its value, on the canvas; where copies
# overlap, they add.

# %% tags=["hide-input"]
x, kernel = np.array([[1.0, 2.0], [3.0, 4.0]]), np.ones((3, 3))
y = F.conv_transpose2d(ml.tensor(x)[None, None], ml.tensor(kernel)[None, None], stride=2)[0, 0]
corner, patch = np.array([[0, 1], [0, 0]]), np.zeros((5, 5))
patch[:3, 2:] = 1
viz.show(viz.number_grids({"input": x, "kernel": kernel, "stride 2": y},
                          marked={"input": corner, "stride 2": patch}, between=["*", "="]),
         "An input of 2 x 2 becomes 5 x 5 with a kernel of ones and a stride of 2. The input 2 "
         "fills the upper right 3 x 3; in the middle row and column two copies add up, in the "
         "centre four.")

# %% [markdown]
# See the uneven sums? Some pixels get one copy, some two, the centre four. This is where the
# checkerboards in generated pictures come from. Lesson 7 looks for better ways to enlarge.
#
# A quiz. You may also think of it so: put a row of zeros between the inputs, a border around, and
# do a plain convolution with a kernel of 3. A picture of 2 x 2 with one row of zeros between is 3 x
# 3; with a border of 1, it is 5 x 5. What comes out? A famous lecture says 4 x 4. Count yourself,
# then ask the framework:

# %%
x = ml.zeros(1, 1, 2, 2)
[tuple(F.conv_transpose2d(x, ml.zeros(1, 1, 3, 3), stride=2, padding=1,
                          output_padding=extra).shape[2:]) for extra in (0, 1)]

# %% [markdown]
# It is 3 x 3; for 4 x 4 an extra row and column must be asked for, with `output_padding`. Why must
# it be asked for? Because with a stride of 2 a picture of 5 and one of 6 both shrink to 3. The way
# back has to be told which it was.
#
# ### Exercise `conv_transpose2d`: The transposed convolution
#
# Copies on a canvas, then a cut. Its weights have input channels first.
#
# ```sh
# minilearn check conv_transpose2d
# ```
#
# ### Two options more
#
# ### Exercise `conv2d_dilated`: Taps that stand apart
#
# A kernel of 3 x 3 that looks at 5 x 5 or 9 x 9 pixels, with no more weights.
#
# ```sh
# minilearn check conv2d_dilated
# ```
#
# ### Exercise `conv2d_general`: Channels in groups
#
# Filters that see only a part of the channels: fewer weights, less work. The nets in your telephone
# live on it.
#
# ```sh
# minilearn check conv2d_general
# ```

# %% [markdown]
# ### Pooling
#
# Often we do not care *exactly* where something was found. Then take the largest number of each
# window, or the mean.

# %%
x = np.array([[1.0, 3, 0, 1], [2, 8, 1, 0], [0, 0, 5, 6], [1, 0, 7, 9]])
pooled = {f"{name} of 2 x 2": pool(ml.tensor(x)[None, None], 2)[0, 0]
          for name, pool in (("largest", F.max_pool2d), ("mean", F.avg_pool2d))}
viz.show(viz.number_grids({"x": x} | pooled, between=["→", "or"]))

# %% [markdown]
# ### Exercise `max_pool2d`: The largest of every window
#
# The same trick as with the convolution: a loop over the places of the window. Padding is never the
# largest, not even beside negative numbers.
#
# ```sh
# minilearn check max_pool2d
# ```
#
# ### Exercise `max_pool2d_grad`: The gradient of max pooling
#
# The winner takes it all. Windows may overlap, and a pixel may win twice.
#
# ```sh
# minilearn check max_pool2d_grad
# ```
#
# ### Exercise `avg_pool2d`: The mean of every window
#
# It can be said as a convolution, with all weights the same.
#
# ```sh
# minilearn check avg_pool2d
# ```
#
# ### Exercise `avg_pool2d_grad`: The gradient of average pooling
#
# Everybody gets the same share.
#
# ```sh
# minilearn check avg_pool2d_grad
# ```
#
# ### Exercise `adaptive_avg_pool2d`: Pooling to a given size
#
# Say what should come out, and the windows follow. With 1 x 1, a net takes pictures of any size.
#
# ```sh
# minilearn check adaptive_avg_pool2d
# ```

# %% [markdown]
# ## What goes wrong
#
# **Shapes that do not meet.** The most common error of all. The message names every argument:

# %%
try:
    F.conv2d(ml.zeros(28, 28), ml.zeros(8, 1, 3, 3))
except ValueError as error:
    print(error)

# %% [markdown]
# **The border fades.** Without padding each layer loses a rim, and pixels there are seen less
# often. With padding of zeros a rim appears that was never in the picture. Count in how many
# windows each pixel lies:

# %%
seen = {}
for padding in (0, 1):
    x = ml.ones(1, 1, 7, 7, requires_grad=True)
    F.conv2d(x, ml.ones(1, 1, 3, 3), padding=padding).sum().backward()
    seen[f"padding {padding}"] = x.grad[0, 0]
viz.show(viz.number_grids(seen, heading="In how many windows of 3 x 3 is each pixel?"))

# %% [markdown]
# **Kernel and stride that do not fit.** In the transposed convolution above, a kernel of 3 with a
# stride of 2 covers pixels unevenly. A kernel of 4 with a stride of 2 covers all the same: 4 is a
# multiple of 2. Nets that draw choose it for this reason.

# %%
covered = {}
for size in (3, 4):
    y = F.conv_transpose2d(ml.ones(1, 1, 4, 4), ml.ones(1, 1, size, size), stride=2, padding=1)
    covered[f"kernel {size}, stride 2"] = y[0, 0]
viz.show(viz.number_grids(covered, heading="How many copies fall on each pixel?"))

# %% [markdown]
# ## The real training
#
# LeNet-5, by LeCun and colleagues in 1998: two convolutions, each followed by pooling, then three
# linear layers, 60,000 parameters. It was wrong on **0.95 %** of MNIST without changed copies, and
# its kind read a tenth of the cheques of the United States. Ours has its shape, with relu and max
# pooling, and 61,706 parameters.
#
# On MNIST, 12 epochs take about 20 minutes on one core of a busy machine. In quick mode it trains
# on the small digits.

# %%
sets = data.load("digits" if QUICK else "auto")
ml.manual_seed(1)
net = nn.Sequential(
    nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),  # (N, 6, 14, 14)
    nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2),            # (N, 16, 5, 5)
    nn.Flatten(), nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10))
loaders = data.image_loaders(*sets, 32 if QUICK else 128)[:2]
learn = train.Learner(net, *loaders, metrics=[train.error_rate])
learn.fit_one_cycle(6 if QUICK else 12, 4e-3)
sum(p.numel() for p in net.parameters())

# %%
# The full run, recorded: python lessons/03_convolution.py, on MNIST.
FULL = [.0517, .0196, .0150, .0126, .0131, .0110, .0114, .0097, .0110, .0080,
        .0078, .0073]
errors = [row["error_rate"] for row in learn.recorder.history]
viz.show(viz.curves({f"this run, on {sets[0].name}": errors, "the full run, on MNIST": FULL},
                    {"LeNet-5, 1998": 0.0095}, title="Two convolutions",
                    ylabel="share of wrong digits", scale="log"))

# %% [markdown]
# A tenth of the parameters of lesson 2's net, and a better result. What does it know that the other
# does not? Move the digits to the right, by a few pixels that no training ever moved them. To a
# child they are the same.

# %%
def errors_when_moved(net):
    train_loader, _, normalize = data.image_loaders(digits, held_out, 32, seed=1)
    train.Learner(net, train_loader).fit_one_cycle(6, 1e-2)
    x, labels = held_out.batch(np.arange(len(held_out)))
    net.eval()
    with ml.no_grad():
        scores = [net(ml.tensor(normalize(np.roll(x, shift, axis=3)))) for shift in range(1, 5)]
    return [float(np.mean(s.argmax(dim=1).numpy() != labels)) for s in scores]


ml.manual_seed(1)
linear = nn.Sequential(nn.Flatten(), nn.Linear(784, 64), nn.ReLU(), nn.Linear(64, 10))
convolutions = nn.Sequential(
    nn.Conv2d(1, 16, 5, stride=2), nn.ReLU(), nn.Conv2d(16, 32, 5, stride=2), nn.ReLU(),
    nn.AdaptiveMaxPool2d(1), nn.Flatten(), nn.Linear(32, 10))  # the pool forgets where it was
viz.show(viz.curves({"linear layers": errors_when_moved(linear),
                     "convolutions": errors_when_moved(convolutions)},
                    title="Digits moved to the right", xlabel="by so many pixels",
                    ylabel="share of wrong digits"))

# %% [markdown]
# And this is what its first layer looks for, learnt and not designed:

# %%
w = net[0].weight.detach()
viz.show(viz.image_grid(0.5 + w / (2 * w.abs().max()), columns=6, heading="The six first kernels"))

# %% [markdown]
# ## Read on
#
# * The framework's own: `minilearn/ops/conv.py`, with its gradient rules right under it.
# * V. Dumoulin and F. Visin, *A guide to convolution arithmetic for deep learning*, 2016: all
#   sizes, with pictures that move.
# * Y. LeCun et al., *Gradient-based learning applied to document recognition*, 1998: LeNet-5.
# * A. Odena et al., *Deconvolution and checkerboard artifacts*, 2016: why generated pictures have
#   squares.
# * Next: lesson 4, which makes deep nets easy to train.
