"""Lesson 1, autograd: each step knows its own derivative, and a walk backwards multiplies them.

A *rule* belongs to one operation, say y = exp(x). It is given g, the gradient of the loss with
respect to y, and returns the gradient with respect to x. Its arguments always come in this order:
g, then the result y, then the inputs. No rule changes the arrays that it is given.
"""

import numpy as np


# ----------------------------------------------------------------
# 1.1 add_grad: The rule of a sum
# About 5 minutes, difficulty 1 of 3, 3 points.
def add_grad(g, y, a, b):
    """Return the gradients of the loss with respect to a and to b, where y = a + b.

    The chain rule, for each input: g, the gradient with respect to y, times the derivative of y
    with respect to that input, element by element.

    a and b may be broadcast against each other; y and g have the broadcast shape. Returns a tuple
    (da, db), both of the shape and dtype of g: undoing the broadcast comes later, in `unbroadcast`.
    """
    raise NotImplementedError("add_grad")


# ----------------------------------------------------------------
# 1.2 mul_grad: The rule of a product
# About 5 minutes, difficulty 1 of 3, 4 points.
def mul_grad(g, y, a, b):
    """Return the gradients of the loss with respect to a and to b, where y = a * b.

    The product is taken element by element, and so is the chain rule: for each input, g (the
    gradient with respect to y) times the derivative of y with respect to that input.

    a and b may be broadcast against each other; y and g have the broadcast shape. Returns a tuple
    (da, db), both of the shape and dtype of g. The elements may be 0; no argument is changed.
    """
    raise NotImplementedError("mul_grad")


# ----------------------------------------------------------------
# 1.3 pow_grad: The rule of a power
# About 15 minutes, difficulty 2 of 3, 6 points. Given: what to do where x is 0.
def pow_grad(g, y, x, n):
    """Return the gradients of the loss with respect to x and to n, where y = x ** n.

    Element by element, dx = g * dy/dx at fixed n, and dn = g * dy/dn at fixed x. For dn it helps to
    read x ** n as exp(n * log(x)).

    x and n may be broadcast against each other; y and g have the broadcast shape. Returns a tuple
    (dx, dn), both of the shape and dtype of g. Where x is negative, n is a whole number, dx is due
    and dn may be anything. Where x is 0, n is 0 or at least 1, and two results need care:
    x ** 0 is 1 for every x, so that dx is 0 for n = 0; and dn is 0.
    """
    raise NotImplementedError("pow_grad")


# ----------------------------------------------------------------
# 1.4 exp_grad: The rule of the exponential
# About 4 minutes, difficulty 1 of 3, 3 points.
def exp_grad(g, y, x):
    """Return the gradient of the loss with respect to x, where y = exp(x), element by element.

    The chain rule: g, the gradient with respect to y, times dy/dx. All arrays have one shape and
    dtype, and so has the result. No argument is changed.
    """
    raise NotImplementedError("exp_grad")


# ----------------------------------------------------------------
# 1.5 log_grad: The rule of the logarithm
# About 4 minutes, difficulty 1 of 3, 3 points.
def log_grad(g, y, x):
    """Return the gradient of the loss with respect to x, where y = log(x), element by element.

    log is the natural logarithm, and x is positive. The chain rule: g, the gradient with respect to
    y, times dy/dx. All arrays have one shape and dtype, and so has the result. No argument is
    changed.
    """
    raise NotImplementedError("log_grad")


# ----------------------------------------------------------------
# 1.6 tanh_grad: The rule of tanh
# About 8 minutes, difficulty 1 of 3, 4 points.
def tanh_grad(g, y, x):
    """Return the gradient of the loss with respect to x, where y = tanh(x), element by element.

    tanh(x) = sinh(x) / cosh(x), and cosh(x)**2 - sinh(x)**2 = 1: the derivative can be said in y
    alone. The chain rule: g, the gradient with respect to y, times dy/dx.

    All arrays have one shape and dtype, and so has the result. It must be a number for large x too,
    where cosh(x) is infinite in floating point. No argument is changed.
    """
    raise NotImplementedError("tanh_grad")


# ----------------------------------------------------------------
# 1.7 sigmoid_grad: The rule of the sigmoid
# About 8 minutes, difficulty 1 of 3, 4 points.
def sigmoid_grad(g, y, x):
    """Return the gradient of the loss with respect to x, where y = 1 / (1 + exp(-x)).

    Element by element, by the chain rule: g, the gradient with respect to y, times dy/dx. The
    derivative can be said in y alone: write 1 - y as a fraction, too.

    All arrays have one shape and dtype, and so has the result. It must be a number for large x too,
    of both signs, where exp(x) or exp(-x) is infinite in floating point. No argument is changed.
    """
    raise NotImplementedError("sigmoid_grad")


# ----------------------------------------------------------------
# 1.8 relu_grad: The rule of relu
# About 5 minutes, difficulty 1 of 3, 3 points.
def relu_grad(g, y, x):
    """Return the gradient of the loss with respect to x, where y = max(x, 0), element by element.

    g: the gradient with respect to y. At the corner, x = 0, the derivative is taken as 0, as in
    torch. All arrays have one shape and dtype, and so has the result. No argument is changed.
    """
    raise NotImplementedError("relu_grad")


# ----------------------------------------------------------------
# 1.9 unbroadcast: Undoing a broadcast
# About 20 minutes, difficulty 2 of 3, 5 points.
def unbroadcast(g, shape):
    """Return the gradient with respect to an array of this shape that was broadcast to g.shape.

    Broadcasting copies an element to several places, and each copy has a gradient in g. The element
    acts through all of its copies, so its gradient is the sum over them.

    g: the gradient after the broadcast, an array. shape: the shape before, a tuple; it may be ().
    Shapes are aligned at their last axis: NumPy puts missing axes in front, and stretches axes of
    size 1. Returns an array of exactly `shape` (a plain number will do for ()), in g's dtype; g
    itself stays as it is.
    """
    raise NotImplementedError("unbroadcast")


# ----------------------------------------------------------------
# 1.10 matmul_grad: The rules of a matrix product
# About 25 minutes, difficulty 3 of 3, 6 points.
def matmul_grad(g, y, a, b):
    """Return the gradients of the loss with respect to a and to b, where y = a @ b.

    For two matrices, y[n, m] = sum over k of a[n, k] * b[k, m]. Each a[n, k] acts through the whole
    row n of y, each b[k, m] through the whole column m: both gradients are matrix products again.

    a: (..., N, K), b: (..., K, M), y and g: (..., N, M), where ... stands for any number of batch
    axes; those of a and b may be broadcast against each other. Returns a tuple (da, db) with the
    shapes (..., N, K) and (..., K, M), where ... are the batch axes of g: no sum over them is
    taken here. Works on the whole batch at once, in g's dtype; no argument is changed.
    """
    raise NotImplementedError("matmul_grad")


class Node:
    """One value of a computation: what it was made from, and how a gradient passes through it.

    inputs: a tuple of the nodes it was made from; () for a leaf. One node may stand in it twice,
    as in x * x. pull(g): takes the gradient with respect to this value, and returns a list with the
    gradient for each input. grad: the gradient that a backward pass leaves in a leaf, else None.
    """

    def __init__(self, inputs=(), pull=None):
        self.inputs, self.pull, self.grad = tuple(inputs), pull, None


# ----------------------------------------------------------------
# 1.11 topological: The order of a graph
# About 25 minutes, difficulty 3 of 3, 6 points. Given: class Node.
def topological(node):
    """Return the list of all nodes that a node depends on, each before whatever it was made from.

    Each has an attribute `inputs`, a tuple of nodes. The list holds the node itself, its inputs,
    their inputs and so on, each once. In it a node stands before all of its inputs, so that the
    given node comes first and the leaves (with no inputs) towards the end. Where several orders
    are possible, any will do.

    A node may be used many times, also twice by the same one, and a chain of nodes may be thousands
    long, more than Python allows a function to call itself. Look at each node only once or twice:
    there can be far more paths than nodes. The nodes are left as they were found, and the next call
    gives the same result.

    The checks show a graph as a list of lists of numbers: [[], [0], [1, 0]] has a leaf, node 0;
    then node 1, made from node 0; and last the one that is given, node 2, made from 1 and 0.
    """
    raise NotImplementedError("topological")


# ----------------------------------------------------------------
# 1.12 backward: The backward pass
# About 25 minutes, difficulty 3 of 3, 6 points. Given: class Node.
def backward(node, g):
    """Carry a gradient back through the graph, and add to `.grad` of each leaf what arrives there.

    g: the gradient of the loss with respect to the node's value, an array. A node has `inputs`, a
    tuple of nodes; `pull(g)`, which takes the gradient with respect to its value and returns one
    gradient for each input, in order; and `grad`. A leaf is a node with no inputs.

    A node that is used in several places, or twice in one, gets the sum of the gradients that come
    from them. `pull` is called once for each node that has inputs, when this sum is complete: take
    the nodes in the order of `topological`. It may return one array twice, or g itself, so no
    array is ever changed in place.

    In a leaf, `grad` is None or an array from before: that is replaced by its sum with the new
    gradient. The array in `grad` is the leaf's own, shared with nobody. Other nodes keep `grad` as
    it is. Returns None.

    The checks show a graph as in `topological`; `weights` are what `pull` multiplies with, one for
    each input.
    """
    raise NotImplementedError("backward")


# ----------------------------------------------------------------
# 1.13 finite_difference: Measuring a gradient
# About 15 minutes, difficulty 2 of 3, 5 points.
def finite_difference(f, x, eps=1e-5):
    """Return the gradient of f at x, measured: move each element a little and see what f does.

    f: a function that takes an array of the shape of x and returns one number. x: a float64 array
    of any shape. eps: how far each element is moved, to both sides, alone.

    For each element i, with e_i the array that is 1 there and 0 elsewhere,

        gradient[i] = (f(x + eps * e_i) - f(x - eps * e_i)) / (2 * eps),

    the central difference: its error falls with the square of eps. Returns an array of the shape of
    x; x is as before afterwards. A loop over the elements is right here.
    """
    raise NotImplementedError("finite_difference")


# ----------------------------------------------------------------
# 1.14 gradients_agree: Are two gradients the same?
# About 10 minutes, difficulty 1 of 3, 5 points.
def gradients_agree(gradient, estimate, rtol=1e-5, atol=1e-7):
    """Say whether a gradient agrees with its estimate from finite differences: True or False.

    They agree if, for every element,

        |gradient - estimate| <= atol + rtol * |estimate|,

    a limit for small numbers plus one in proportion. Two arrays of different shapes never agree,
    even if one could be broadcast to the other. An array with nan or an infinity in it agrees with
    nothing, not even with itself. Returns one bool.
    """
    raise NotImplementedError("gradients_agree")


# ----------------------------------------------------------------
# 1.15 newton_step: A Newton step
# About 12 minutes, difficulty 2 of 3, 5 points.
def newton_step(f, x, grad):
    """Return where one step of Newton's method leads from x, on the way to where f' is zero.

    Near x, f looks like a parabola with the same slope f'(x) and the same curvature f''(x). The
    step goes straight to the place where this parabola is flat, be it its lowest or highest point.

    f: a function of one number, of which only its derivatives matter here. x: a float. grad: takes
    a function of one number and returns its derivative, which is such a function again, so that it
    can be given to `grad` once more. Returns a float. Raises ValueError if the curvature is 0:
    there is no such place.
    """
    raise NotImplementedError("newton_step")
