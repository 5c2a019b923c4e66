# %% [markdown]
# # 1 Autograd
#
# A net is a formula with very many numbers in it. To train it, we must know for each of these
# numbers: does the result get better if it grows a little, or if it shrinks? This lesson builds the
# machine that answers for all of them at once. It is the heart of every deep-learning framework,
# and it is small.

# %%
import math
import os
import time

import numpy as np

import minilearn as ml
from minilearn import data, viz

QUICK = os.environ.get("MINILEARN_QUICK") == "1"

# %% [markdown]
# ## The question
#
# A small net that reads digits has 238,510 numbers in it, its *parameters*. A *loss* says how wrong
# the net is, in one number. How should each parameter change so that the loss falls?
#
# You could try. Nudge one parameter by a tiny step, work out the loss again, and see. That tells
# you the *slope*: by how much the loss changes for each unit that the parameter changes.

# %%
def loss(w):
    return (math.sin(3 * w) - 0.5) ** 2


w, step = 0.8, 1e-6
(loss(w + step) - loss(w - step)) / (2 * step)

# %% [markdown]
# The slope is negative: if `w` grows, the loss falls. So `w` should grow a little. It works, but it
# costs two runs of the net for one parameter. For 238,510 of them that is 477,020 runs, for a
# single step of training. We will get all slopes together, exactly, for about the price of two
# runs.

# %% [markdown]
# ## The idea
#
# A slope is how steep the curve is at one place. Zoom in far enough, and every smooth curve is a
# straight line.

# %% tags=["hide-input"]
@viz.styled
def slopes():
    figure = viz.new_figure(7, 3.4)
    axes = figure.subplots()
    x = np.linspace(-1, 2.6, 200)
    axes.plot(x, np.sin(2 * x) + x / 2, color="#0072B2", label="y = f(x)")
    for at, colour in ((0.1, "#D55E00"), (0.9, "#009E73"), (1.7, "#E69F00")):
        slope, height = 2 * math.cos(2 * at) + 0.5, math.sin(2 * at) + at / 2
        near = np.array([at - 0.5, at + 0.5])
        axes.plot(near, height + slope * (near - at), color=colour, label=f"slope {slope:+.1f}")
        axes.plot([at], [height], "o", color=colour)
    axes.set(title="The slope is the steepness of the line that just touches", xlabel="x")
    axes.legend(loc="upper left")
    return figure


viz.show(slopes(), "A wavy curve with three straight lines that touch it: one rises steeply, one "
                   "is nearly flat, one falls. Their slopes are given.")

# %% [markdown]
# Now think of gears. If turning wheel A once turns wheel B twice, and turning B once turns C three
# times, then turning A once turns C six times. Slopes of steps in a row **multiply**. That is the
# chain rule, and all the rest is bookkeeping.
#
# A net is a row of simple steps: multiply, add, bend. Each step knows its own slope. Here is one
# neuron and its loss, with numbers.

# %% tags=["hide-input"]
viz.show(viz.diagram(
    {"x": (0, 0, "x = 2"), "w": (0, 1, "w = 0.5"), "m": (1, 0.5, "multiply\n1.0"),
     "t": (2, 0.5, "tanh\n0.76"), "y": (2, 1.5, "target y = 1"), "d": (3, 0.5, "subtract\n-0.24"),
     "s": (4, 0.5, "square\n0.057")},
    [("x", "m"), ("w", "m", "2"), ("m", "t", "0.42"), ("t", "d", "1"), ("y", "d"),
     ("d", "s", "-0.48")],
    marked=["s"], title="Forwards: values. On the arrows: the slope of each step",
), "A graph of a neuron: x = 2 and w = 0.5 are multiplied to 1.0; tanh gives 0.76; the target 1 is "
   "subtracted, -0.24; squared, the loss is 0.057. The slopes from w on: 2, 0.42, 1, -0.48.")

# %% [markdown]
# How does the loss change with `w`? Multiply the slopes on the way, from the loss back to `w`:
# $-0.48 \cdot 1 \cdot 0.42 \cdot 2 = -0.40$. If `w` grows by 0.01, the loss falls by about 0.004.
#
# Why *backwards*? Because there is one loss and there are many parameters. Going backwards, the
# product so far is shared by everything that lies further back. One walk serves all parameters.

# %% [markdown]
# ## The maths
#
# The derivative of $f$ at $x$ is the slope there:
#
# $$f'(x) = \lim_{h \to 0} \frac{f(x + h) - f(x)}{h}.$$
#
# The chain rule: if $y = f(x)$ and the loss $L$ depends on $y$, then
#
# $$\frac{dL}{dx} = \frac{dL}{dy} \cdot \frac{dy}{dx}.$$
#
# In code, we call $dL/dy$ simply `g`: *the gradient of the loss with respect to the result*. It
# comes from behind, and each step hands its inputs `g` times its own slope. A small function does
# this, the step's **rule**: it takes `g`, the result `y`, the inputs, and returns the gradient for
# each input. The step $y = \sin(x)$ has the slope $\cos(x)$, so this is its rule:

# %%
def sin_grad(g, y, x):
    return g * np.cos(x)


x = np.array([0.0, 1.0, 2.0])
sin_grad(np.ones(3), np.sin(x), x)

# %% [markdown]
# With two inputs there are two slopes: move one, hold the other still. For $y = a / b$,
#
# $$\frac{\partial y}{\partial a} = \frac{1}{b}, \qquad
# \frac{\partial y}{\partial b} = -\frac{a}{b^2}.$$

# %%
def div_grad(g, y, a, b):
    return g / b, -g * a / b**2


div_grad(1.0, 3.0, 6.0, 2.0)

# %% [markdown]
# Now it is your turn. Make a folder of your own once, with `minilearn start course`, and open
# `01_autograd.py` in it. Each exercise is a function with its task in the docstring. `minilearn
# check` tells you whether it is right, and if not, on which smallest input it goes wrong.
#
# ### Exercise `add_grad`: The rule of a sum
#
# If one of two summands grows by a little, by how much does the sum grow?
#
# ```sh
# minilearn check add_grad
# ```
#
# ### Exercise `mul_grad`: The rule of a product
#
# The slope of a product, seen from one factor, is the other factor.
#
# ```sh
# minilearn check mul_grad
# ```
#
# ### Exercise `pow_grad`: The rule of a power
#
# Base and exponent are both inputs here. Take care where the base is 0.
#
# ```sh
# minilearn check pow_grad
# ```
#
# ### Exercise `exp_grad`: The rule of the exponential
#
# The one curve that is as steep as it is high. The rule gets the result `y`, and may use it.
#
# ```sh
# minilearn check exp_grad
# ```
#
# ### Exercise `log_grad`: The rule of the logarithm
#
# The logarithm turns the exponential around: where one is steep, the other is flat.
#
# ```sh
# minilearn check log_grad
# ```

# %% [markdown]
# The last three are the bends of a net, its *activations*. Without a bend between them, two
# layers would be no more than one: a straight line of a straight line is a straight line.

# %% tags=["hide-input"]
@viz.styled
def bends():
    figure = viz.new_figure(8, 2.8)
    x = np.linspace(-4, 4, 161)
    sigmoid = 1 / (1 + np.exp(-x))
    drawn = (("tanh", np.tanh(x), 1 - np.tanh(x) ** 2), ("relu", x.clip(0), x > 0),
             ("sigmoid", sigmoid, sigmoid * (1 - sigmoid)))
    for axes, (name, y, slope) in zip(figure.subplots(1, 3), drawn, strict=True):
        axes.plot(x, y, color="#0072B2", label=name)
        axes.plot(x, slope, color="#D55E00", linestyle="--", label="its slope")
        axes.set(title=name, ylim=(-1.2, 2.2), xlabel="x")
        axes.legend(loc="upper left")
    return figure


viz.show(bends(), "Three activations with their slopes. tanh: from -1 to 1, slope 1 at 0 and 0 far "
                  "out. relu: 0 for negative x, then x; slope 0, then 1. sigmoid: from 0 to 1, "
                  "slope at most 0.25.")

# %% [markdown]
# ### Exercise `tanh_grad`: The rule of tanh
#
# The slope of tanh can be said with the result alone. Then nothing overflows.
#
# ```sh
# minilearn check tanh_grad
# ```
#
# ### Exercise `sigmoid_grad`: The rule of the sigmoid
#
# The same trick: write the slope with `y`.
#
# ```sh
# minilearn check sigmoid_grad
# ```
#
# ### Exercise `relu_grad`: The rule of relu
#
# A gate: it lets the gradient through, or it does not.
#
# ```sh
# minilearn check relu_grad
# ```

# %% [markdown]
# ### Arrays: who acts where?
#
# A net does not work with single numbers, but with arrays of them. Element by element, the rules
# stay as they are. Two things are new.
#
# First, *broadcasting*. Add a row of 3 to an array of 2 x 3, and NumPy copies the row for each
# line. So each number of the row acts in two places. What acts through several places gets the
# **sum** of what comes back from them.

# %% tags=["hide-input"]
a = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
row = np.array([10.0, 20.0, 30.0])
g = np.array([[1.0, -2.0, 0.5], [3.0, 1.0, 0.5]])  # the gradient that comes back, at each place
viz.show(viz.number_grids({"a": a, "row": row, "y": a + row, "g": g, "for row": g.sum(axis=0)},
                          marked={"row": [1, 0, 0], "y": [[1, 0, 0]] * 2, "g": [[1, 0, 0]] * 2,
                                  "for row": [1, 0, 0]},
                          between=["+", "=", "  ", "→"]),
         "A row of three numbers is added to both lines of an array. Its first number acts in two "
         "places of the result; their gradients, 1 and 3, are summed to 4.")

# %% [markdown]
# ### Exercise `unbroadcast`: Undoing a broadcast
#
# Bring a gradient back to the shape that its array had before it was copied.
#
# ```sh
# minilearn check unbroadcast
# ```
#
# Second, the *matrix product*, the work horse of every net. It looks hard and is not. Let the
# shapes lead you: `a` is $N \times K$, `b` is $K \times M$, and `g` has the shape of the result, $N
# \times M$. The gradient for `a` must be $N \times K$ again. There is only one way to put `g` and
# `b` together that fits.
#
# ### Exercise `matmul_grad`: The rules of a matrix product
#
# Two matrix products, each with one matrix turned over.
#
# ```sh
# minilearn check matmul_grad
# ```

# %% [markdown]
# ## Step by step
#
# Rules are not enough. Somebody must remember which steps were taken. So let a number remember
# what it was made from, and how a gradient passes through:

# %%
class Number:
    """A value, the numbers it was made from, and its rule: pull(g) gives a gradient for each."""

    def __init__(self, value, inputs=(), pull=None):
        self.value, self.inputs, self.pull, self.grad = value, inputs, pull, 0.0


def sin(x):
    return Number(math.sin(x.value), (x,), lambda g: [g * math.cos(x.value)])


def div(a, b):
    return Number(a.value / b.value, (a, b), lambda g: [g / b.value, -g * a.value / b.value**2])


# %% [markdown]
# Computing is as before. But the result is now the tip of a *graph* that leads back to its inputs.

# %%
a, b = Number(6.0), Number(2.0)
y = div(sin(div(a, b)), b)
y.value, [len(part.inputs) for part in y.inputs]

# %% [markdown]
# Backwards, the first idea is the plainest: hand each input its part, and let it do the same.

# %%
def push(x, g):
    x.grad += g
    if x.inputs:
        for part, passed in zip(x.inputs, x.pull(g), strict=True):
            push(part, passed)


push(y, 1.0)
a.grad, b.grad

# %% [markdown]
# `b` acts in two places, and `+=` summed both. Is it right? Nudging says:

# %%
def f(a, b):
    return math.sin(a / b) / b


step = 1e-6
((f(6 + step, 2) - f(6 - step, 2)) / (2 * step), (f(6, 2 + step) - f(6, 2 - step)) / (2 * step))

# %% [markdown]
# It is. That is autograd: a class of one line, and five lines that walk back.
#
# ### One thing is wrong with it
#
# `push` follows every *path*. When a number is used twice, the paths behind it double. Ten times in
# a row, and there are a thousand paths through ten numbers.

# %%
def paths(x):
    return 1 + sum(paths(part) for part in x.inputs)


followed, numbers = [], []
x = Number(2.0)
for depth in range(1, 15):
    x = div(x, x)
    followed.append(paths(x))
    numbers.append(depth + 1)
viz.show(viz.curves({"steps that push takes": followed, "numbers in the graph": numbers},
                    title="Following every path", xlabel="x = div(x, x), so many times",
                    ylabel="steps", scale="log"))

# %% [markdown]
# The cure: visit each number **once**, when all that comes back to it has arrived. Then its `g` is
# complete, and it goes on with the sum. For that, the numbers must be taken in the right order:
# each before whatever it was made from. It is the order in which you could tear down a tower
# without anything falling on your head.

# %% tags=["hide-input"]
viz.show(viz.diagram(
    {"a": (0, 0.5, "a\n5th"), "b": (1, 1, "b\n4th"), "c": (1, 0, "c\n3rd"), "d": (2, 0.5, "d\n2nd"),
     "L": (3, 0.5, "loss\n1st")},
    [("L", "d"), ("d", "c"), ("d", "b"), ("c", "b"), ("c", "a"), ("b", "a")],
    marked=["b"], title="b waits for both d and c",
), "Arrows lead back from the loss to d, from d to c and b, from c to b and a, from b to a. The "
   "order is loss, d, c, b, a: b comes after both d and c.")

# %% [markdown]
# ### Exercise `topological`: The order of a graph
#
# List all nodes so that each stands before what it was made from. A graph may be thousands of
# steps deep, deeper than a Python function can call itself.
#
# ```sh
# minilearn check topological
# ```
#
# ### Exercise `backward`: The backward pass
#
# With the order, the backward pass is a short loop. This is the engine.
#
# ```sh
# minilearn check backward
# ```
#
# ### The same in the framework
#
# `minilearn` is this engine, with arrays in place of numbers. A tensor is an array that remembers
# how it was made. `requires_grad=True` marks what you want the gradient of.

# %%
x = ml.tensor([2.0])
w = ml.tensor([0.5], requires_grad=True)
loss = (((x * w).tanh() - 1) ** 2).sum()
loss.backward()
loss.item(), w.grad.item()

# %% [markdown]
# This is the neuron of the first picture, and its -0.40. And this is the promise from the
# beginning. One run forwards and one backwards, against one run alone, for 238,510 slopes:

# %%
images = ml.randn(100, 784)
weights = [ml.randn(784, 300) / 28, ml.zeros(300), ml.randn(300, 10) / 17, ml.zeros(10)]
for parameter in weights:
    parameter.requires_grad_()


def net(x, w1, b1, w2, b2):
    return (x @ w1 + b1).tanh() @ w2 + b2  # (N, 784) -> (N, 300) -> (N, 10)


def seconds(job, times=20):
    durations = []
    for _ in range(times):
        start = time.perf_counter()
        job()
        durations.append(time.perf_counter() - start)
    return sorted(durations)[times // 2]


with ml.no_grad():
    forwards = seconds(lambda: net(images, *weights))
both = seconds(lambda: net(images, *weights).sum().backward())
f"{sum(p.numel() for p in weights):,} slopes for the price of {both / forwards:.1f} runs"

# %% [markdown]
# ### Trust, but measure
#
# A wrong rule does not crash. The net just learns badly, and nobody knows why. So every rule in
# this framework is compared with the nudge. The step must not be too large, or the curve bends on
# the way; nor too small, or the digits that a computer keeps run out.

# %%
steps = 10.0 ** np.arange(-13, 0)
errors = [abs((math.sin(1 + h) - math.sin(1 - h)) / (2 * h) - math.cos(1)) for h in steps]


@viz.styled
def step_sizes():
    figure = viz.new_figure(6.6, 3.4)
    axes = figure.subplots()
    axes.loglog(steps, errors, "o-", color="#0072B2")
    axes.set(title="How far to nudge: not too far, not too little", xlabel="step", ylabel="error")
    axes.annotate("rounding", (1e-12, 3e-5), (1e-11, 1e-3), color="#D55E00")
    axes.annotate("bending", (1e-2, 1e-5), (2e-4, 1e-3), color="#D55E00")
    return figure


viz.show(step_sizes(), "The error of a measured slope over the size of the step, both logarithmic: "
                       "a valley with its lowest point, about 1e-11, near a step of 1e-5.")

# %% [markdown]
# ### Exercise `finite_difference`: Measuring a gradient
#
# Nudge each element of an array, to both sides.
#
# ```sh
# minilearn check finite_difference
# ```
#
# ### Exercise `gradients_agree`: Are two gradients the same?
#
# Measured numbers are never quite equal. How near is near enough?
#
# ```sh
# minilearn check gradients_agree
# ```
#
# The framework has both in one: `minilearn.check.check` says nothing when all is well.

# %%
from minilearn.check import check

check(lambda x, w: (x @ w).tanh(), ml.randn(2, 3), ml.randn(3, 4))

# %% [markdown]
# ### A slope of a slope
#
# In this framework the rules themselves are written in steps that have rules. So a gradient is the
# tip of a graph again, and can be differentiated once more. Ask for it with `create_graph=True`.

# %%
x = ml.tensor(2.0, requires_grad=True)
slope, = ml.grad(x**3, x, create_graph=True)
curvature, = ml.grad(slope, x)
slope.item(), curvature.item()  # 3 x^2 and 6 x

# %% [markdown]
# The second derivative is the *curvature*: how fast the slope itself changes. Whoever knows it can
# stride instead of creep. Newton's method lays a parabola against the curve, and jumps to its
# bottom.

# %% tags=["hide-input"]
def valley(x):
    return x**4 / 4 - x**2 / 2 + x


@viz.styled
def parabola():
    figure = viz.new_figure(7, 3.4)
    axes = figure.subplots()
    x = np.linspace(-2.6, 0.2, 200)
    axes.plot(x, valley(x), color="#0072B2", label="f")
    at = -2.2
    slope, curvature = at**3 - at + 1, 3 * at**2 - 1
    axes.plot(x, valley(at) + slope * (x - at) + curvature / 2 * (x - at) ** 2, "--",
              color="#D55E00", label="the parabola at the dot")
    axes.plot([at, at - slope / curvature], [valley(at), valley(at - slope / curvature)], "o",
              color="#009E73", label="one step of Newton's method")
    axes.set(title="Same height, slope and curvature", xlabel="x", ylim=(-2, 4))
    axes.legend()
    return figure


viz.show(parabola(), "A valley, a dot on its left slope, and a parabola that touches the curve "
                     "there. The bottom of the parabola lies close to that of the valley.")

# %% [markdown]
# ### Exercise `newton_step`: A Newton step
#
# From slope and curvature to the next place. `grad` is given to you, and can be applied twice.
#
# ```sh
# minilearn check newton_step
# ```

# %% [markdown]
# ## What goes wrong
#
# **Gradients pile up.** `backward` *adds* to `.grad`, because a parameter may be used in several
# places. Forget to clear it between two steps, and each step goes where all former ones went, too.

# %%
def descend(clear, steps=30, lr=0.1):
    w = ml.tensor(3.0, requires_grad=True)
    heights = []
    for _ in range(steps):
        loss = w**2
        loss.backward()
        w.data = w.data - lr * w.grad.data
        heights.append(loss.item())
        if clear:
            w.grad = None
    return heights


viz.show(viz.curves({"cleared": descend(True), "never cleared": descend(False)},
                    title="The loss w², with and without clearing the gradient",
                    xlabel="step", ylabel="loss"))

# %% [markdown]
# It is a common mistake, and it has a look: a loss that swings like a pendulum.
#
# **The same graph twice.** After a backward pass the graph is let go, to save memory. A second
# pass says so:

# %%
w = ml.tensor(3.0, requires_grad=True)
loss = w**2
loss.backward()
try:
    loss.backward()
except RuntimeError as error:
    print(error)

# %% [markdown]
# **Slopes that fade.** Far out, tanh and the sigmoid are flat. A flat step multiplies what comes
# back by nearly nothing, and ten of them in a row leave nothing at all. This is why deep nets could
# not be trained for twenty years, and why relu is so popular.

# %%
faded = {}
for name in ("sigmoid", "tanh", "relu"):
    x = y = ml.full((1,), 0.5, requires_grad=True)
    faded[name] = []
    for _ in range(10):
        y = getattr(ml, name)(y)
        faded[name].append(ml.grad(y.sum(), x, retain_graph=True)[0].item())
viz.show(viz.curves(faded, title="The slope through a row of activations", ylabel="slope",
                    xlabel="activations in a row", scale="log"))

# %% [markdown]
# **nan.** One division by zero, and soon every number is *not a number*: nan times anything is nan.
# In the rule of `x ** n` at `x = 0` it can happen to you, too. The checks try it.

# %% [markdown]
# ## The real training
#
# In 1998 LeCun and colleagues compared what could read handwritten digits then. A net of two
# layers, with 300 hidden units, was wrong on **4.7 %** of the test digits. Let us build it with
# nothing but autograd: no layers, no optimizer, no training loop from the framework.
#
# On MNIST, 20 epochs take about three minutes on one core. In quick mode, or without MNIST, it
# trains on scikit-learn's digits, in seconds.

# %%
train, valid = data.load("digits" if QUICK else "auto")
x, x_valid = (s.images.reshape(len(s), -1).astype(np.float32) / 255 for s in (train, valid))
y = np.eye(10, dtype=np.float32)[train.labels]  # a row for each digit, 1 at its class
x.shape, y.shape, x_valid.shape

# %% [markdown]
# A layer multiplies by weights and adds a bias. The weights begin random, and small enough that
# tanh is not flat. The loss is the mean square of what is missing to the right row.

# %%
ml.manual_seed(0)
w1, b1 = ml.randn(784, 300) / 28, ml.zeros(300)
w2, b2 = ml.randn(300, 10) / 300**0.5, ml.zeros(10)
parameters = [p.requires_grad_() for p in (w1, b1, w2, b2)]
beginning = w1.detach().numpy().copy()


def train_step(x, y, lr):
    loss = ((net(ml.tensor(x), *parameters) - ml.tensor(y)) ** 2).mean()
    loss.backward()
    for p in parameters:
        p.data = p.data - lr * p.grad.data  # against the slope: downhill
        p.grad = None


def error_rate(x, labels):
    with ml.no_grad():
        predicted = net(ml.tensor(x), *parameters).argmax(dim=1)
    return float(np.mean(predicted.numpy() != labels))


# %%
epochs, rng = 20, np.random.default_rng(0)
largest = 0.3 if train.name == "mnist" else 0.1  # the other digits have more ink: larger slopes
errors = []
for epoch in range(epochs):
    lr = largest * (1 - epoch / epochs)  # smaller and smaller steps
    for batch in np.array_split(rng.permutation(len(x)), len(x) // 50):
        train_step(x[batch], y[batch], lr)
    errors.append(error_rate(x_valid, valid.labels))
print(f"{train.name}: wrong on {errors[-1]:.2%} of {len(valid):,} digits")

# %%
# The full run, recorded: python lessons/01_autograd.py, on MNIST.
FULL = [.1211, .0892, .0745, .0652, .061, .0572, .0534, .0533, .0499, .0499,
        .0478, .0476, .0462, .0444, .0454, .0441, .0443, .0438, .0446, .0438]
viz.show(viz.curves({f"this run, on {train.name}": errors, "the full run, on MNIST": FULL},
                    {"LeCun et al. 1998": 0.047}, title="Two layers, 300 hidden units",
                    ylabel="share of wrong digits", scale="log"))

# %% [markdown]
# The full run ends at 4.4 %, a little better than in 1998, with nothing from the framework but its
# autograd. Later lessons bring this down to less than half a percent.
#
# What did it learn? Each hidden unit has one weight for each pixel, so what training has changed in
# its weights is a picture: dark where they grew, light where they shrank, grey where they stayed.

# %%
learnt = (w1.detach().numpy() - beginning).T[:24].reshape(-1, 1, 28, 28)
viz.show(viz.image_grid(0.5 + learnt / (2 * abs(learnt).max()), columns=8,
                        heading="What 24 hidden units learnt to look for"))

# %% [markdown]
# Strokes and holes in many places; the border, where no ink ever is, has learnt nothing. The net
# knows nothing of neighbouring pixels: shuffle all pixels in the same way, and it learns just as
# well. A net that knows what an image is comes in lesson 3.

# %% [markdown]
# ## Read on
#
# * The engine that you rebuilt: `minilearn/tensor.py`, `minilearn/op.py`,
#   `minilearn/autograd.py`. The rules: `minilearn/ops/elementwise.py`.
# * D. Rumelhart, G. Hinton and R. Williams, *Learning representations by back-propagating errors*,
#   Nature 323, 1986: four pages that started it.
# * A. Baydin et al., *Automatic differentiation in machine learning: a survey*, 2018. What else
#   there is besides going backwards, and when it is better.
# * Y. LeCun et al., *Gradient-based learning applied to document recognition*, 1998: the 4.7 %, and
#   what came after.
# * Next: lesson 2, where one lone slope becomes a training.
