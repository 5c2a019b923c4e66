"""Lesson 1: what a walk through a graph must do, and what it must carry back to the leaves."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import strategies as st

from .autograd import LESSON
from .contract import exercise
from .strategies import seeds, signed, sizes

# A graph is a list: for each node, the numbers of the earlier nodes that it was made from.
# The last one is the root.


def graphs(most=6):
    """Up to `most` nodes, made from up to three each; one may stand there twice."""
    back = st.lists(sizes(0, most), max_size=3)  # how far: so a node in between may be left out
    return st.lists(back, max_size=most - 1).map(
        lambda rows: [[], *([max(i - d, 0) for d in row] for i, row in enumerate(rows))])


# ---------------------------------------------------------------- topological

topological = exercise(
    LESSON, "topological", "The order of a graph", minutes=25, difficulty=3, given="class Node",
    hints=("List a node only after all of its inputs; read backwards, this list is the order.",
           "A function that calls itself would do, but not thousands deep: keep your own stack of "
           "what is still to be done, and a set of the nodes that were met.",
           "Push (node, False). On popping False, if it is new: push (node, True), then its inputs "
           "with False. On popping True: append it. Return the list reversed."))
WALK = """
class Node:
    asked, most = 0, 0

    def __init__(self, number, inputs):
        self.number, self._inputs = number, inputs

    def __repr__(self):
        return f"node {self.number}"

    @property
    def inputs(self):
        Node.asked += 1
        if Node.asked > Node.most:
            raise RuntimeError(f"these nodes were asked for their inputs {Node.most} times: do "
                               "you follow every path, instead of visiting each node once?")
        return self._inputs

def numbers(order, nodes):
    if not isinstance(order, list):
        raise TypeError(f"a list of nodes is due, not {type(order).__name__}")
    number = {id(node): i for i, node in enumerate(nodes)}
    for node in order:
        if id(node) not in number:
            raise TypeError(f"the list holds a {type(node).__name__} that is no node of this graph")
    return [number[id(node)] for node in order]

def early(order, graph):
    place = {i: at for at, i in enumerate(order)}
    for i, inputs in enumerate(graph):
        for x in inputs:
            if i in place and place.get(x, len(order)) < place[i]:
                return f"node {x} stands before node {i}, which was made from it"
    return "no node"

def walk(function, graph, calls=1):
    Node.asked, Node.most = 0, 100 * len(graph) + 100
    nodes = []
    for inputs in graph:
        nodes.append(Node(len(nodes), tuple(nodes[i] for i in inputs)))
    for _ in range(calls):
        order = numbers(function(nodes[-1]), nodes)
    listed, paths = np.zeros(len(graph), int), np.zeros(len(graph), int)
    paths[-1] = 1
    for i in order:
        listed[i] += 1
        for x in graph[i]:
            paths[x] += paths[i]
    return {"how often each node is listed": listed, "listed too early": early(order, graph),
            "paths to each node": paths}
"""
ONCE = WALK + """
def drive(module, function, graph):
    return walk(function, graph)
"""
TWICE = WALK + """
def drive(module, function, graph):
    return walk(function, graph, calls=2)
"""
CHAIN = WALK + """
def drive(module, function, length, times):
    return walk(function, [[]] + [[i] * times for i in range(length - 1)])
"""


def listing(graph):
    """Count the paths from the root to each node: torch's derivatives, where all slopes are 1."""
    leaves = [torch.zeros((), dtype=torch.float64, requires_grad=True) for _ in graph]
    values = []
    for leaf, inputs in zip(leaves, graph, strict=True):
        values.append(sum((values[i] for i in inputs), leaf))
    found = torch.autograd.grad(values[-1], leaves, materialize_grads=True)
    return listed(torch.stack(found).long())


def listed(paths):
    return {"how often each node is listed": 1 * (paths > 0), "listed too early": "no node",
            "paths to each node": paths}


def chains(lengths, times):
    return st.builds(dict, length=lengths, times=st.just(times))


LONG = st.sampled_from((3000, 3500, 4000, 5000))
topological.property("lists each node once, before all that it was made from", 3,
                     st.builds(dict, graph=graphs()), driver=ONCE,
                     examples=(dict(graph=[[]]),))(listing)
topological.property("lists the same when it is called again", 1, st.builds(dict, graph=graphs()),
                     driver=TWICE)(listing)


@topological.property("visits each node once, however many paths lead to it", 1,
                      chains(sizes(20, 40), 2), driver=CHAIN)
@topological.property("walks a chain of thousands", 1, chains(LONG, 1), driver=CHAIN)
def _(length, times):
    return listed(times ** np.arange(length)[::-1])


VISIT = "            seen.add(node)\n            stack.append((node, True))\n"
LOOP = "    while stack:\n        node, done = stack.pop()\n        if done:\n"
RECURSION = """    def walk(node):
        if node not in seen:
            seen.add(node)
            for x in node.inputs:
                walk(x)
            order.append(node)

    walk(node)
    while False:
        if done:
"""
topological.mistake("the list is **not reversed**: it has every node after its inputs",
                    ("order[::-1]", "order"))
topological.mistake("a node is listed **when it is met**, before others made from it: list it when "
                    "its inputs are done, and reverse the list",
                    (VISIT, "            seen.add(node)\n            order.append(node)\n"),
                    ("order[::-1]", "order"))
topological.mistake("the graph is walked **breadth first**: a node near the root by one path and "
                    "far by another comes too early",
                    ("stack.pop()", "stack.pop(0)"),
                    (VISIT, "            seen.add(node)\n            order.append(node)\n"),
                    ("order[::-1]", "order"))
topological.mistake("nodes are **not remembered**: one that is used twice is listed twice",
                    ("elif node not in seen:", "else:"))
topological.mistake("the **leaves** are missing: nodes without inputs belong to the list",
                    ("elif node not in seen:", "elif node not in seen and node.inputs:"))
topological.mistake("the **node itself** is missing: it comes first",
                    ("order[::-1]", "order[-2::-1]"))
topological.mistake("only the **first input** of each node is followed",
                    ("in node.inputs)", "in node.inputs[:1])"))
topological.mistake("the function **calls itself**, which Python allows about a thousand levels "
                    "deep; keep a stack of your own, a list",
                    (LOOP, RECURSION))
topological.mistake("the function calls itself and **remembers no node**: one used twice is "
                    "listed twice; keep a set of those it has met",
                    (LOOP, RECURSION.replace("if node not in seen", "if True")))
topological.mistake("visited nodes are **remembered for the next call**, by marks on them or in a "
                    "default argument, which is made once",
                    ("elif node not in seen:", "elif not hasattr(node, 'seen'):"),
                    ("seen.add(node)", "node.seen = True"))

# ---------------------------------------------------------------- backward

backward = exercise(
    LESSON, "backward", "The backward pass", minutes=25, difficulty=3, given="class Node",
    hints=("In the order of `topological`, a node's gradient is complete when its turn comes.",
           "Keep a dict from each node to the sum of what has arrived so far: first {node: g}.",
           "At a node's turn take its sum out: a leaf adds it to grad; another pulls it, and each "
           "input's share is added with `+` into the dict."))
PULL = """
class Node:
    def __init__(self, number, inputs, weights):
        self.number, self.inputs, self.weights = number, inputs, weights
        self.grad, self.pulls = None, 0

    def __repr__(self):
        return f"node {self.number}"

    def pull(self, g):
        self.pulls += bool(self.inputs)
        return [g if w == 1 else w * g for w in self.weights]

def build(graph, weights):
    nodes = []
    for inputs, own in zip(graph, weights):
        nodes.append(Node(len(nodes), tuple(nodes[i] for i in inputs), own))
    return nodes

def drive(module, function, graph, weights, g, calls=1):
    nodes = build(graph, weights)
    for _ in range(calls):
        function(nodes[-1], g)
    return {"grad": [node.grad for node in nodes],
            "calls of pull": np.array([node.pulls for node in nodes])}
"""
OWN = PULL.replace("def drive", "def run") + """
def drive(module, function, graph, weights, g):
    nodes = build(graph, weights)
    function(nodes[-1], g)
    for node in nodes:
        if node.grad is not None:
            node.grad += 100
    return {"grad": [node.grad for node in nodes], "g": g}
"""
THOUSANDS = PULL.replace("def drive", "def run") + """
def drive(module, function, length, g):
    graph = [[]] + [[i] for i in range(length - 1)]
    return run(module, function, graph, [[1] * len(inputs) for inputs in graph], g)["grad"][0]
"""


@st.composite
def weighted(draw, **more):
    """A graph in which each node is a sum of its inputs, times these weights."""
    graph, rng = draw(graphs()), np.random.default_rng(draw(seeds))
    weights = [[int(rng.choice((1, 1, 2, -3))) for _ in inputs] for inputs in graph]
    return dict(graph=graph, weights=weights, g=signed(draw(sizes(1, 3)), 5), **more)


def gradients(graph, weights, g):
    """Let torch differentiate the graph; None for what is no leaf, or not reached."""
    values = []
    for inputs, own in zip(graph, weights, strict=True):
        made = [w * values[i] for w, i in zip(own, inputs, strict=True)]
        values.append(sum(made) if made else torch.zeros(len(g), dtype=torch.float64,
                                                         requires_grad=True))
    values[-1].backward(torch.from_numpy(g))
    return [v.grad if v.is_leaf else None for v in values]


def reached(graph):
    """The numbers of the nodes that the root depends on."""
    found = {len(graph) - 1}
    for i in reversed(range(len(graph))):
        found |= set(graph[i]) if i in found else set()
    return found


def passed(graph, weights, g, calls=1):
    pulls = [calls * (i in reached(graph)) * bool(inputs) for i, inputs in enumerate(graph)]
    grads = [None if d is None else calls * d for d in gradients(graph, weights, g)]
    return {"grad": grads, "calls of pull": np.array(pulls)}


backward.property("leaves the right gradient in each leaf", 3, weighted(), driver=PULL,
                  exact=True)(passed)
backward.property("adds to the gradients from before when it is called again", 1,
                  weighted(calls=2), driver=PULL, exact=True)(passed)


@backward.property("gives each leaf an array of its own, and changes none in place", 1, weighted(),
                   driver=OWN, exact=True)
def _(graph, weights, g):
    grads = gradients(graph, weights, g)
    return {"grad": [None if d is None else d + 100 for d in grads], "g": g}


@backward.property("goes back through a chain of thousands", 1,
                   st.builds(dict, length=LONG, g=st.just(signed(2))), driver=THOUSANDS)
def _(length, g):
    return g


ADD = "grads[x] = grads[x] + gx if x in grads else gx"
LEAF = "n.grad = g.copy() if n.grad is None else n.grad + g"
backward.mistake("a node that is used twice keeps **only the last gradient**; add them up",
                 (ADD, "grads[x] = gx"))
backward.mistake("gradients are added up **in place** by `+=`, in an array that another node may "
                 "hold too: write a + b",
                 (ADD, "if x in grads:\n                grads[x] += gx\n            else:\n"
                       "                grads[x] = gx"))
backward.mistake("a leaf's `grad` is **an array that others hold too** (g, or another leaf's): "
                 "give it a copy", ("g.copy() if", "g if"))
backward.mistake("`grad` is **overwritten** by the second call, it must be added to",
                 (LEAF, "n.grad = g.copy()"))
backward.mistake("nodes take their turn **in the order they are met**, some too early for all of "
                 "their gradient: use `topological`",
                 ("    for n in topological(node):\n",
                  "    order = [node]\n    for n in order:\n"
                  "        order += [x for x in dict.fromkeys(n.inputs) if x not in order]\n"
                  "    for n in order:\n"))
backward.mistake("the pass **starts from ones**, and g is not used",
                 ("grads = {node: g}", "grads = {node: g * 0 + 1}"))
backward.mistake("**every node keeps** its gradient; only leaves, without inputs, have `grad`",
                 ("        if not n.inputs:\n", "        if True:\n"),
                 ("            continue\n", ""))
backward.mistake("gradients are collected **in `grad` of every node**, and handed down again by "
                 "the next call; collect them in a dict",
                 ("    grads = {node: g}\n",
                  "    node.grad = g if node.grad is None else node.grad + g\n"),
                 ("        g = grads.pop(n)\n        if not n.inputs:\n            " + LEAF
                  + "\n            continue\n", ""),
                 ("n.pull(g)", "n.pull(n.grad)"),
                 (ADD, "x.grad = gx if x.grad is None else x.grad + gx"))
backward.mistake("the inputs get each other's gradients: `pull` returns them **in the order of "
                 "`inputs`**", ("n.pull(g), strict", "n.pull(g)[::-1], strict"))
backward.mistake("each gradient is handed on **as soon as it arrives**: right, but `pull` is "
                 "called for each path; add up, then pull",
                 ("    grads = {node: g}\n    for n in topological(node):\n"
                  "        g = grads.pop(n)\n",
                  "    waiting = [(node, g)]\n    while waiting:\n        n, g = waiting.pop()\n"),
                 (ADD, "waiting.append((x, gx))"))
