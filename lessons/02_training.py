# %% [markdown]
# # 2 Training
#
# Lesson 1 can tell which way each number of a net should go. This lesson walks there. It builds a
# layer, a loss, a training loop and the optimizers, and learns to read the curves that tell whether
# all is well.

# %%
import os
from functools import partial

import numpy as np

import minilearn as ml
from minilearn import data, nn, optim, train, viz
from minilearn.nn import functional as F

QUICK = os.environ.get("MINILEARN_QUICK") == "1"

# %% [markdown]
# ## The question
#
# Here are pictures of digits, and for each the right answer. How do we get from them to a net that
# reads digits which it has never seen? Lesson 1 did it with a bare loop. It was slow to learn, and
# it stopped at 4.4 % of errors. What was missing?

# %%
digits, held_out = data.load("digits")
viz.show(viz.image_grid(digits.images[:8], digits.labels[:8], columns=8))

# %% [markdown]
# ## The idea
#
# Training is a loop of five steps, and every net in this course is trained by it.

# %% tags=["hide-input"]
viz.show(viz.diagram(
    {"batch": (0, 0, "take a batch\nof pictures"), "model": (1.3, 0, "predict\n(forwards)"),
     "loss": (2.6, 0, "how wrong?\n(loss)"), "slopes": (2.6, 1.4, "which way?\n(backwards)"),
     "step": (1.3, 1.4, "a small step\n(optimizer)")},
    [("batch", "model"), ("model", "loss"), ("loss", "slopes"), ("slopes", "step"),
     ("step", "batch")],
    marked=["step"], title="The training loop",
), "A circle of five boxes: take a batch, predict, how wrong, which way, a small step, and again.")

# %% [markdown]
# Picture the loss as a landscape: each place is a setting of all parameters, and its height is the
# loss. You stand somewhere on it in thick fog. You feel only the slope under your feet. So you take
# a step downhill, and feel again.
#
# Real landscapes have long, narrow valleys. There the slope points across the valley rather than
# along it, and you zigzag. A heavy ball does better: it keeps its speed along the valley, and its
# swings across cancel. That is *momentum*.

# %% tags=["hide-input"]
def height(p):
    return p[0] ** 2 / 100 + p[1] ** 2


def walk(make, steps=40):
    p = nn.Parameter(ml.tensor([-9.0, 1.5]))
    optimizer, places = make([p]), [p.detach().numpy().copy()]
    for _ in range(steps):
        height(p).backward()
        optimizer.step()
        optimizer.zero_grad()
        places.append(p.detach().numpy().copy())
    return np.stack(places)


# %% tags=["hide-input"]
@viz.styled
def valley(walks):
    figure = viz.new_figure(8, 3.6)
    axes = figure.subplots()
    x, y = np.meshgrid(np.linspace(-10, 3, 80), np.linspace(-2, 2, 60))
    axes.contour(x, y, height((x, y)), levels=12, colors="#CCCCCC", linewidths=1)
    for (name, places), colour in zip(walks.items(), ("#D55E00", "#0072B2"), strict=True):
        axes.plot(*places.T, "o-", color=colour, markersize=3, linewidth=1.2, label=name)
    axes.plot([0], [0], "*", color="#009E73", markersize=15, label="the lowest place")
    axes.set(title="40 steps down a narrow valley", xlabel="one parameter", ylabel="another")
    axes.legend(loc="lower left")
    return figure


walks = {"plain": walk(partial(optim.SGD, lr=0.9)),
         "with momentum": walk(partial(optim.SGD, lr=0.6, momentum=0.85))}
viz.show(valley(walks), "Contour lines of a long narrow valley. The plain walk zigzags across it "
                        "and is still on its way after 40 steps; with momentum it arrives.")

# %% [markdown]
# ## The maths
#
# A **linear layer** has a weight for each pair of an input and an output, and a bias for each
# output: $y_o = \sum_i x_i w_{oi} + b_o$. Many samples at once make it one matrix product.
#
# **From scores to a loss.** The net gives ten scores, one for each digit. The *softmax* makes
# probabilities of them, all positive and together 1:
#
# $$p_c = \frac{e^{x_c}}{\sum_k e^{x_k}}.$$
#
# The loss is how *surprised* the net is by the right answer: $-\log p$ of the right class. Who
# was sure and right is not surprised. Who was sure and wrong is very surprised.

# %% tags=["hide-input"]
@viz.styled
def surprise():
    figure = viz.new_figure(8, 3)
    left, right = figure.subplots(1, 2)
    scores = np.array([1.0, 3.0, 0.5, 2.0])
    left.bar(range(4), np.exp(scores) / np.exp(scores).sum(), color="#0072B2")
    left.set(title="Softmax: scores to probabilities", ylabel="probability")
    left.set_xticks(range(4), [f"score {s:g}" for s in scores])
    p = np.linspace(0.01, 1, 200)
    right.plot(p, -np.log(p), color="#D55E00")
    right.set(title="Surprise: minus the logarithm", xlabel="probability of the right class",
              ylabel="loss")
    return figure


viz.show(surprise(), "Left: the scores 1, 3, 0.5 and 2 become the probabilities 0.09, 0.64, 0.05 "
                     "and 0.23. Right: the loss falls from 4.6, where the probability of the right "
                     "class is 0.01, to 0, where it is 1.")

# %% [markdown]
# **The step.** With the gradient $g$ of a parameter $p$ and the learning rate $\eta$ (`lr` in
# code):
#
# $$p \leftarrow p - \eta\, g.$$
#
# That is all of *gradient descent*. With a random batch in place of all data it is *stochastic*
# gradient descent, SGD: each slope is a little wrong, but you get hundreds of them for the price of
# one.

# %% [markdown]
# ## Step by step
#
# ### A layer
#
# Four inputs, three outputs, two samples:

# %%
x = ml.tensor([[1.0, 2.0, 0.0, -1.0], [0.0, 1.0, 1.0, 1.0]])
w = ml.tensor([[1.0, 0.0, 0.0, 0.0], [0.5, 0.5, 0.0, 0.0], [0.0, 0.0, 1.0, -1.0]])
b = ml.tensor([0.0, 0.0, 10.0])
viz.show(viz.number_grids({"x": x, "w": w, "b": b, "y": F.linear(x, w, b)},
                          marked={"x": [[1] * 4, [0] * 4], "w": [[0] * 4, [0] * 4, [1] * 4],
                                  "b": [0, 0, 1], "y": [[0, 0, 1], [0, 0, 0]]},
                          between=["   ", "   ", "→"], heading="Row of x times row of w, plus b"),
         "The first row of x, 1 2 0 -1, meets the third row of w, 0 0 1 -1: the products sum to 1; "
         "with the bias 10 the result is 11, in the first row and third column of y.")

# %% [markdown]
# ### Exercise `linear`: A linear layer
#
# One line, and it must work for any number of leading dimensions. Each row of `w` is one output.
#
# ```sh
# minilearn check linear
# ```
#
# ### Exercise `linear_grad`: The gradients of a linear layer
#
# Its three slopes. The shapes lead you, as in lesson 1. A weight acts in every sample, so its
# gradient is a sum.
#
# ```sh
# minilearn check linear_grad
# ```
#
# ### Where to begin
#
# The weights must begin somewhere. All zeros will not do: then all hidden units are the same, and
# stay the same. So draw them at random. But how large? Follow the size of the numbers through 30
# layers, each with 100 units and a relu.

# %%
def sizes(scale, layers=30):
    ml.manual_seed(0)
    x, found = ml.randn(200, 100), []
    for _ in range(layers):
        x = (x @ (ml.randn(100, 100) * scale)).relu()
        found.append(x.std().item())
    return found


viz.show(viz.curves({"0.1": sizes(0.1), "0.2": sizes(0.2), "√(2/100)": sizes((2 / 100) ** 0.5)},
                    title="Size of the numbers, by the size of the weights", xlabel="layer",
                    ylabel="standard deviation", scale="log"))

# %% [markdown]
# Too small, and the signal dies. Too large, and it explodes. There is one right size, and it can be
# worked out: $\sqrt{2 / n}$ for $n$ inputs. The 2 makes up for the half that relu cuts away.
#
# ### Exercise `kaiming_normal`: First weights that keep the signal alive
#
# The same for every kind of layer: count what one output sums up.
#
# ```sh
# minilearn check kaiming_normal
# ```
#
# ### A loss
#
# Softmax has a trap. `exp(1000)` is too large for a computer, and a net does give such scores when
# it goes astray.

# %%
scores = np.array([1000.0, 998.0])
with np.errstate(all="ignore"):
    naive = np.exp(scores) / np.exp(scores).sum()
naive, F.softmax(ml.tensor(scores), dim=0).numpy()

# %% [markdown]
# ### Exercise `log_softmax`: Softmax that cannot overflow
#
# Adding the same number to all scores changes nothing. Choose it well.
#
# ```sh
# minilearn check log_softmax
# ```
#
# ### Exercise `cross_entropy`: The loss of a choice among classes
#
# The mean surprise of a batch, in two lines on top of `log_softmax`.
#
# ```sh
# minilearn check cross_entropy
# ```
#
# ### Exercise `cross_entropy_grad`: Where the loss tells the scores to go
#
# Work it out on paper once. It is a rare pleasure: probability minus truth.
#
# ```sh
# minilearn check cross_entropy_grad
# ```
#
# The loss is for the machine: it is smooth. People want to know how often the net is right.
#
# ### Exercise `accuracy`: How often is the model right?
#
# The highest score wins. Count.
#
# ```sh
# minilearn check accuracy
# ```

# %% [markdown]
# ### Data to learn from, data to judge by
#
# A net can learn its training pictures by heart. So we keep some aside, never train on them, and
# judge by them: the **validation set**. MNIST comes in two folders, "training" and "testing". The
# second has labels, and we look at it after each epoch. So it is our validation set, whatever its
# name. A true *test set* is looked at once, at the very end; in a competition its labels are
# secret.

# %%
f"{len(digits)} digits to train on, {len(held_out)} to judge by"

# %% [markdown]
# One walk through all training data is an *epoch*. Each epoch goes in a new random order, in
# *batches*. Without the shuffling, a batch may hold nothing but sevens, and the net runs after it.
#
# ### Exercise `batches`: An epoch in batches
#
# A generator: it yields one batch after the other. What about the last one, which may be short?
#
# ```sh
# minilearn check batches
# ```
#
# ### The loop
#
# Now all parts are there. This is the whole training of lesson 1, with layers, a loss and an
# optimizer:

# %%
images, labels = (ml.tensor(a) for a in digits.batch(np.arange(len(digits))))
ml.manual_seed(0)
net = nn.Sequential(nn.Flatten(), nn.Linear(784, 64), nn.ReLU(), nn.Linear(64, 10))
optimizer = optim.SGD(net.parameters(), lr=0.1)
rng, noisy = np.random.default_rng(0), []
for _ in range(3 if QUICK else 10):
    order = rng.permutation(len(digits))
    for start in range(0, len(order) - 31, 32):
        batch = order[start : start + 32].tolist()
        loss = F.cross_entropy(net(images[batch]), labels[batch])
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        noisy.append(loss.item())
f"{noisy[0]:.2f} at first, {noisy[-1]:.2f} at the end"

# %% [markdown]
# `minilearn/train/learner.py` is this loop, on one screen, with hooks for whatever else should
# happen.
#
# ### Better steps
#
# ### Exercise `sgd_step`: Gradient descent with momentum
#
# The heavy ball, in three lines. *Weight decay* pulls every parameter gently towards 0; *Nesterov*
# looks ahead.
#
# ```sh
# minilearn check sgd_step
# ```
#
# ### Exercise `clip_grad_norm`: One bad batch must not ruin everything
#
# Now and then a gradient is a hundred times too long. Keep its way, and cut its length.
#
# ```sh
# minilearn check clip_grad_norm
# ```
#
# Different parameters need different steps: some have large slopes, some small ones. *Adam* divides
# each slope by its usual size, so that all parameters move at about the same speed. It divides by a
# running average of squares, and both averages begin too small: mind the correction.

# %%
walks = {"SGD with momentum": walk(partial(optim.SGD, lr=0.6, momentum=0.85)),
         "AdamW": walk(partial(optim.AdamW, lr=0.3, weight_decay=0.0))}
viz.show(valley(walks), "The narrow valley again. AdamW sets off at the same speed in both "
                        "directions and curves gently to the lowest place; SGD with momentum "
                        "swings across the valley first.")

# %% [markdown]
# ### Exercise `adamw_step`: Adam with decoupled weight decay
#
# The optimizer of nearly everything in this course. Six lines, in the right order.
#
# ```sh
# minilearn check adamw_step
# ```
#
# ### How large a step?
#
# Large steps are quick, but jump over the lowest places. Small steps settle, but take forever.
# *One cycle* does both: warm up, go fast, cool down. While the rate is high, the momentum is low.

# %%
steps = range(0, 1001, 5)
viz.show(viz.curves({"learning rate": [optim.schedules.one_cycle(s, 1000, 1.0)[0] for s in steps],
                     "momentum": [optim.schedules.one_cycle(s, 1000, 1.0)[1] for s in steps]},
                    title="One cycle, with a largest rate of 1", ylabel="",
                    xlabel="share of the training, in 200ths"))

# %% [markdown]
# ### Exercise `one_cycle`: Warm up, then cool down
#
# Two halves of a cosine wave.
#
# ```sh
# minilearn check one_cycle
# ```
#
# ### Reading the curve
#
# The loss of single batches jumps. A running average shows where it goes. But an average that
# begins at 0 is too low at first: look at the beginning.

# %%
smoothed, plain, debiased = train.Smoothed(0.9), [], []
average = 0.0
for value in noisy:
    average = 0.9 * average + 0.1 * value
    plain.append(average)
    debiased.append(smoothed.add(value))
viz.show(viz.curves({"each batch": noisy, "average from 0": plain, "debiased": debiased},
                    title="A loss that can be read", xlabel="batch", ylabel="loss"))

# %% [markdown]
# ### Exercise `Smoothed`: A loss that can be read
#
# The debiased average, as an object that remembers.
#
# ```sh
# minilearn check Smoothed
# ```
#
# And the learning rate itself? Let the data say. The *learning-rate finder* begins with a tiny rate
# and raises it with every batch. At first nothing happens. Then the loss falls. Then it explodes. A
# good rate lies where it falls fastest, or a tenth of where it is lowest.

# %%
ml.manual_seed(0)
loaders = data.image_loaders(digits, held_out, 32)[:2]
learn = train.Learner(nn.Sequential(nn.Flatten(), nn.Linear(784, 64), nn.ReLU(),
                                    nn.Linear(64, 10)), *loaders)
viz.show(viz.lr_finder(train.lr_find(learn, start=1e-5, end=0.3)))

# %% [markdown]
# ### Exercise `should_stop`: When has the loss exploded?
#
# The finder must know when to end. One line, but mind nan: it is not larger than anything.
#
# ```sh
# minilearn check should_stop
# ```

# %% [markdown]
# ## What goes wrong
#
# **The rate is wrong.** The most common mistake of all, and it has a look:

# %%
def trained(lr, epochs=4, images=digits, optimizer=optim.SGD):
    ml.manual_seed(0)
    loaders = data.image_loaders(images, held_out, 32)[:2]
    net = nn.Sequential(nn.Flatten(), nn.Linear(784, 64), nn.ReLU(), nn.Linear(64, 10))
    learn = train.Learner(net, *loaders, optimizer=optimizer)
    learn.fit(epochs, lr)
    return learn


rates = (0.0005, 0.05, 2.0)
seen = {f"lr {lr:g}": trained(lr).recorder.losses for lr in rates}
viz.show(viz.curves(seen, title="Too small, right, too large", xlabel="batch", ylabel="loss",
                    scale="log"))

# %% [markdown]
# Too small: a straight, bored line. Too large: it leaps up and does not come down, or turns nan.
#
# **Learning by heart.** Train for long on few pictures. The training loss goes to nothing, the
# validation loss turns around and creeps *up*. The net becomes ever more sure of itself, and no
# better.

# %%
few = digits.select(np.arange(64))
learn = trained(3e-3, epochs=80, images=few, optimizer=optim.AdamW)
history = learn.recorder.history
viz.show(viz.curves({"training": [row["train_loss"] for row in history],
                     "validation": [row["valid_loss"] for row in history]},
                    title="64 digits, learnt by heart", ylabel="loss", scale="log"))

# %% [markdown]
# The cure is more data, then changed copies of it (lesson 5), then weight decay. A smaller net
# comes last.
#
# **A bug that trains anyway.** Labels shuffled against pictures, a forgotten relu, pictures not
# normalised: all these train, a little worse. Always check the first loss. A net that
# knows nothing about ten classes must be surprised by $\log 10 = 2.30$.

# %% [markdown]
# ## The real training
#
# In 2003 Simard, Steinkraus and Platt wrote down what is best practice for digits. Two layers with
# 800 hidden units and cross-entropy, without any trick on the pictures: **1.6 %** wrong. Ours has
# the same layers, and relu, AdamW and one cycle. On MNIST it takes about seven minutes on one
# core of a busy machine, and in quick mode seconds, on the small digits.

# %%
sets = data.load("digits" if QUICK else "auto")
ml.manual_seed(1)
hidden = 200 if QUICK else 800
net = nn.Sequential(nn.Flatten(), nn.Linear(784, hidden), nn.ReLU(), nn.Linear(hidden, 10))
loaders = data.image_loaders(*sets, 32 if QUICK else 128)[:2]
learn = train.Learner(net, *loaders, metrics=[train.error_rate])
learn.fit_one_cycle(8 if QUICK else 15, 2e-3)
viz.show(viz.losses(learn))

# %%
# The full run, recorded: python lessons/02_training.py, on MNIST.
FULL = [.0639, .0368, .0276, .0250, .0294, .0249, .0196, .0207, .0192, .0173,
        .0146, .0154, .0149, .0153, .0153]
errors = [row["error_rate"] for row in learn.recorder.history]
viz.show(viz.curves({f"this run, on {sets[0].name}": errors, "the full run, on MNIST": FULL},
                    {"Simard et al. 2003": 0.016}, title="Two layers, 800 hidden units",
                    ylabel="share of wrong digits", scale="log"))

# %% [markdown]
# Look at the curve of the errors: most of the gain comes late, while the rate goes down. Lesson 1
# needed 20 epochs for 4.4 %.

# %% [markdown]
# ## Read on
#
# * The framework's own: `minilearn/train/learner.py` (the loop on one screen),
#   `minilearn/optim/adam.py`, `minilearn/train/lr_find.py`.
# * L. Smith, *A disciplined approach to neural network hyper-parameters*, 2018: one cycle.
# * I. Loshchilov and F. Hutter, *Decoupled weight decay regularization*, 2019: AdamW.
# * K. He et al., *Delving deep into rectifiers*, 2015: where $\sqrt{2/n}$ comes from.
# * P. Simard, D. Steinkraus and J. Platt, *Best practices for convolutional neural networks
#   applied to visual document analysis*, 2003: the 1.6 %.
# * Next: lesson 3, nets that know what an image is.
