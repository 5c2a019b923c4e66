# %% [markdown]
# # 4 Normalisation
#
# Deep nets are hard to train, because each layer learns on ground that the layers before it keep
# moving. One small layer calms the ground. With it, nets train ten times faster, and some that
# would not train at all do.

# %%
import os
from functools import partial

import numpy as np

import minilearn as ml
from minilearn import data, nn, optim, train, viz
from minilearn.nn import functional as F

QUICK = os.environ.get("MINILEARN_QUICK") == "1"
digits, held_out = data.load("digits")

# %% [markdown]
# ## The question
#
# Lesson 2 chose first weights so that numbers neither die nor explode. That is a fragile balance.
# It holds for one kind of layer, and for the first step only: training changes the weights. Here
# are ten layers with the usual first weights of torch, which were not made for such depth.

# %%
def plain(depth=8):
    layers = [nn.Flatten(), nn.Linear(784, 64)]
    for _ in range(depth):
        layers += [nn.ReLU(), nn.Linear(64, 64)]
    return nn.Sequential(*layers, nn.ReLU(), nn.Linear(64, 10))


def losses(net, lr, epochs=3):
    ml.manual_seed(2)
    loaders = data.image_loaders(digits, held_out, 32)[:2]
    learn = train.Learner(net, *loaders, optimizer=optim.SGD)
    learn.fit(epochs, lr)
    smoothed = train.Smoothed(0.9)
    return [smoothed.add(loss) for loss in learn.recorder.losses]


ml.manual_seed(0)
seen = {f"lr {lr:g}": losses(plain(), lr) for lr in (0.01, 0.1, 1.0)}
viz.show(viz.curves(seen, title="Ten layers, without normalisation", xlabel="batch", ylabel="loss"))

# %% [markdown]
# Whatever the rate, ten plain layers learn next to nothing in three epochs. How can we make
# depth easy?

# %% [markdown]
# ## The idea
#
# Normalise, in the middle of the net. Take one channel, look at all its numbers in the batch, and
# shift and stretch them to mean 0 and spread 1. Do it after every layer, in every step. Then each
# layer sees numbers of the same size, whatever the layers before it do.

# %%
def with_norm(depth=8):
    layers = [nn.Flatten(), nn.Linear(784, 64)]
    for _ in range(depth):
        layers += [nn.BatchNorm1d(64), nn.ReLU(), nn.Linear(64, 64)]
    return nn.Sequential(*layers, nn.BatchNorm1d(64), nn.ReLU(), nn.Linear(64, 10))


ml.manual_seed(0)
seen = {f"lr {lr:g}": losses(with_norm(), lr) for lr in (0.01, 0.1, 1.0)}
viz.show(viz.curves(seen, title="The same with batch norm", xlabel="batch", ylabel="loss"))

# %% [markdown]
# The same ten layers, the same data. Now any of the three rates works. Look inside: this is how
# large the numbers are after each layer, before any training.

# %% tags=["hide-input"]
def spreads(net):
    x, found = ml.tensor(digits.batch(np.arange(256))[0]), []
    with ml.no_grad():
        for layer in net:
            x = layer(x)
            if isinstance(layer, nn.ReLU):
                found.append(x.std().item())
    return found


ml.manual_seed(0)
viz.show(viz.curves({"plain": spreads(plain()), "batch norm": spreads(with_norm())},
                    title="Spread of the numbers after each relu", xlabel="layer",
                    ylabel="standard deviation", scale="log"))

# %% [markdown]
# ## The maths
#
# For each channel, over all $m$ numbers that it has in the batch:
#
# $$\mu = \frac{1}{m} \sum_i x_i, \qquad \sigma^2 = \frac{1}{m} \sum_i (x_i - \mu)^2, \qquad
# y_i = w \, \frac{x_i - \mu}{\sqrt{\sigma^2 + \epsilon}} + b.$$
#
# The tiny $\epsilon$ keeps us from dividing by 0. And $w$ and $b$? Perhaps mean 0 and spread 1 is
# not what the next layer needs. So the layer learns which mean and spread it should have: two
# parameters for each channel, that begin at 1 and 0. It costs nothing to give back what we took:
# now it is *one* number that sets the spread, rather than the play of all weights before it.

# %%
x = ml.tensor([[1.0, 100.0], [2.0, 300.0], [3.0, 200.0], [6.0, 200.0]])
viz.show(viz.number_grids({"two channels": x, "normalised": F.batch_norm(x, None, None,
                                                                         training=True)},
                          between=["→"]))

# %% [markdown]
# ### Exercise `batch_norm`: Batch norm in training
#
# Pictures have a mean for each channel, over the pictures and all their places. Take the biased
# variance: divide by $m$.
#
# ```sh
# minilearn check batch_norm
# ```

# %% [markdown]
# ## Step by step
#
# ### What about a single picture?
#
# In training, a digit is normalised together with the others that happen to be in its batch. But
# when you *use* the net, there may be one picture, and its result must not hang on its neighbours.
# So while it trains, the layer keeps a running average of means and variances. Afterwards it uses
# those.

# %% tags=["hide-input"]
viz.show(viz.diagram(
    {"x": (0, 0.5, "batch"), "s": (1.5, 0, "mean and variance\nof this batch"),
     "n": (3.2, 0, "normalise"), "r": (1.5, 1.1, "running averages"),
     "e": (3.2, 1.1, "normalise"), "y": (4.6, 0, "training"), "z": (4.6, 1.1, "evaluation")},
    [("x", "s"), ("s", "n"), ("s", "r", "a tenth"), ("n", "y"), ("r", "e"), ("e", "z")],
    marked=["r"], title="Two lives of a batch norm",
), "A batch gives its mean and variance. In training they normalise the batch, and a tenth of them "
   "goes into running averages. In evaluation the running averages normalise.")

# %% [markdown]
# ### Exercise `running_statistics`: What batch norm remembers
#
# A tenth of the new, nine tenths of the old. Here torch takes the *unbiased* variance: divide by $m
# - 1$.
#
# ```sh
# minilearn check running_statistics
# ```
#
# ### Exercise `batch_norm_eval`: Batch norm in evaluation
#
# With fixed numbers it is just a multiplication and a sum.
#
# ```sh
# minilearn check batch_norm_eval
# ```
#
# ### The way back
#
# Backwards it is harder than it looks. A number $x_i$ acts in three ways: directly, through the
# mean, and through the variance. And through these two it acts on *every* result. What follows from
# it is beautiful: the gradient that comes out sums to 0 over the channel.

# %%
x = ml.randn(16, 3, requires_grad=True)
(F.batch_norm(x, None, None, training=True) * ml.randn(16, 3)).sum().backward()
x.grad.sum(dim=0).numpy().round(6)

# %% [markdown]
# Of course: adding the same to all numbers changes nothing, as the mean takes it away. So the slope
# in that direction must be 0. The same holds for the bias of a convolution before a batch norm. It
# does nothing at all, so leave it out.
#
# ### Exercise `batch_norm_grad`: Batch norm backwards
#
# Paper first. Write the result as a function of the normalised number, then collect the three ways.
#
# ```sh
# minilearn check batch_norm_grad
# ```
#
# ### Exercise `BatchNorm`: Batch norm as a layer
#
# Put the pieces together: a layer that remembers, and that knows whether it is training.
#
# ```sh
# minilearn check BatchNorm
# ```

# %% [markdown]
# ### Who is normalised with whom?
#
# A batch of pictures has pictures, channels and places. Which numbers share a mean? There are four
# answers, and each has a name. In the picture each square is one channel of one picture. Squares of
# one colour share their mean.

# %% tags=["hide-input"]
@viz.styled
def sharing():
    figure = viz.new_figure(9.4, 2.1)
    pictures, channels = np.indices((4, 6))
    kinds = {"batch norm": channels, "layer norm": pictures,
             "group norm, 2 groups": pictures * 2 + channels // 3,
             "instance norm": pictures * 6 + channels}
    for axes, (name, shared) in zip(figure.subplots(1, 4), kinds.items(), strict=True):
        axes.imshow(shared * 7 % 24, cmap="tab20", vmin=0, vmax=23)
        axes.set(title=name, xlabel="channels", ylabel="pictures", xticks=[], yticks=[])
        axes.set_xticks(np.arange(5) + 0.5, minor=True)
        axes.set_yticks(np.arange(3) + 0.5, minor=True)
        axes.grid(which="minor", color="white", linewidth=2)
        axes.grid(which="major", visible=False)
        axes.tick_params(which="minor", length=0)
    return figure


viz.show(sharing(), "Four grids of 4 pictures by 6 channels. Batch norm: each column has one "
                    "colour. Layer norm: each row. Group norm with 2 groups: each half of a row. "
                    "Instance norm: each square its own.")

# %% [markdown]
# Only batch norm looks at other pictures. The other three do the same in training and in use, and
# do not care how large the batch is. Layer norm is the one in language models. Instance norm takes
# away a picture's contrast, so style transfer loves it. Group norm serves where memory allows only
# two pictures at a time.
#
# All four are one function, if you cut the array into rows first.
#
# ### Exercise `standardise`: Each row to mean 0 and variance 1
#
# Any shape, cut into so many equal rows.
#
# ```sh
# minilearn check standardise
# ```
#
# ### Exercise `layer_norm`: Layer norm
#
# A row for each sample; weight and bias for each feature.
#
# ```sh
# minilearn check layer_norm
# ```
#
# ### Exercise `group_norm`: Group norm
#
# A row for each group of channels of each picture.
#
# ```sh
# minilearn check group_norm
# ```
#
# ### Exercise `instance_norm`: Instance norm
#
# A row for each channel of each picture.
#
# ```sh
# minilearn check instance_norm
# ```
#
# ### The first normalisation of all
#
# The pictures themselves should have mean 0 and spread 1, too. But with which mean and spread?
# Measure them on one batch of your own data. There are famous numbers around, those of ImageNet.
# Use them only with a net that was *trained* on pictures normalised so. It has learnt to expect
# them.

# %%
_, _, normalize = data.image_loaders(digits, held_out, 128, seed=0)
normalize.mean, normalize.std

# %% [markdown]
# ### Chance against learning by heart
#
# There is one more small layer that behaves differently in training. *Dropout* sets a random half
# of the numbers to zero. A net cannot rely on any single one then, so it learns the same thing in
# several ways.

# %%
ml.manual_seed(1)
x = ml.ones(4, 6)
viz.show(viz.number_grids({"x": x, "dropout, p = 0.5": F.dropout(x, 0.5)}, between=["→"],
                          heading="What stays is doubled: the mean is kept"))

# %% [markdown]
# ### Exercise `dropout`: Dropout
#
# Zeros, and a factor that makes up for them. In evaluation it does nothing.
#
# ```sh
# minilearn check dropout
# ```

# %% [markdown]
# ## What goes wrong
#
# **Forgetting `eval()`.** Leave the net in training, and a digit's result hangs on its neighbours.
# Give it one class at a time, as a user might, and it fails. Nothing complains.

# %%
ml.manual_seed(0)
*loaders, normalize = data.image_loaders(digits, held_out, 32)
learn = train.Learner(with_norm(2), *loaders)
learn.fit_one_cycle(4, 1e-2)
order = np.argsort(held_out.labels, kind="stable")
x = ml.tensor(normalize(held_out.batch(order)[0]))
LABELS = held_out.labels[order]


def right(start, net):
    batch = slice(start, start + 32)
    with ml.no_grad():
        return (net(x[batch]).argmax(dim=1).numpy() == LABELS[batch]).sum()


for mode in ("eval", "train"):
    net = getattr(learn.model, mode)()
    print(f"{mode:6}{sum(right(s, net) for s in range(0, len(x), 32)) / len(x):.3f} right")

# %% [markdown]
# **A batch of one.** Its mean is itself, and nothing is left. In training this is an error:

# %%
try:
    nn.BatchNorm1d(3)(ml.randn(1, 3))
except ValueError as error:
    print(error)

# %% [markdown]
# **Small batches.** With two or four pictures, mean and variance are guesses. The validation loss
# jumps while the training loss looks fine. Then take group norm.
#
# **The last layer.** Do not normalise the scores without need: the net can then no longer be as
# sure as it should be. The course's second net does it all the same; compare both in lesson 5.

# %% [markdown]
# ## The real training
#
# Here is the course's first net for MNIST. It has five convolutions of stride 2, so that the grid
# goes 28, 14, 7, 4, 2, 1. After each comes batch norm, and then relu: 12,126 parameters. In three
# epochs, at the fearless rate of 0.1, the course reports an accuracy of **.9886**.
#
# We train it with and without its batch norms. On MNIST that takes about five minutes on one
# core. In quick mode it takes seconds, on the small digits. The pictures are shifted a little,
# differently each time; lesson 5 tells why.

# %%
def five(norm):
    layers, widths = [], (1, 8, 16, 32, 16, 10)
    for ni, nf in zip(widths[:-1], widths[1:], strict=True):
        layers += [nn.Conv2d(ni, nf, 3, stride=2, padding=1), nn.ReLU()]
        if norm:
            layers.insert(-1, nn.BatchNorm2d(nf))
    return nn.Sequential(*layers[:-1], nn.Flatten())  # no relu on the scores


sets = data.load("digits" if QUICK else "auto")


def trained(norm, lr):
    ml.manual_seed(1)
    shift = data.RandomPadCrop(padding=3, size=28)
    loaders = data.image_loaders(*sets, 32 if QUICK else 128, augment=[shift])[:2]
    learn = train.Learner(five(norm), *loaders, optimizer=partial(optim.AdamW, betas=(0.9, 0.99)))
    learn.fit_one_cycle(8 if QUICK else 3, lr)
    return [row["accuracy"] for row in learn.recorder.history]


found = {"batch norm, lr 0.1": trained(True, 0.1), "none, lr 0.1": trained(False, 0.1),
         "none, lr 0.01": trained(False, 0.01)}
viz.show(viz.curves(found, title=f"This run, on {sets[0].name}"))

# %%
# The full run, recorded: python lessons/04_normalisation.py, on MNIST.
FULL = {"batch norm, lr 0.1": [.8788, .9669, .9871], "none, lr 0.1": [.8196, .1135, .1135],
        "none, lr 0.01": [.9518, .9732, .9832]}
viz.show(viz.curves(FULL, {"the course": (0.9305, 0.9764, 0.9886)}, title="On MNIST, recorded"))

# %% [markdown]
# Without normalisation the rate of 0.1 is too much: the net breaks down in the second epoch. From
# then on it takes every digit for a one, and .1135 is the share of ones in MNIST. At a tenth of the
# rate it comes to .9832. That is 168 wrong digits, against 129 with batch norm.

# %% [markdown]
# ## Read on
#
# * The framework's own: `minilearn/functional/norm.py`, `minilearn/ops/norm.py`,
#   `minilearn/nn/norm.py`.
# * S. Ioffe and C. Szegedy, *Batch normalization*, 2015. The explanation that it gives is disputed,
#   the result is not.
# * S. Santurkar et al., *How does batch normalization help optimization?*, 2018: it makes the
#   landscape smoother.
# * Y. Wu and K. He, *Group normalization*, 2018; J. Ba et al., *Layer normalization*, 2016.
# * N. Srivastava et al., *Dropout*, 2014.
# * Next: lesson 5, nets a hundred layers deep.
