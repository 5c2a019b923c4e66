"""A learner's functions in the framework: used, equal to its own, and gone again afterwards."""

import types

import numpy as np
import pytest

import minilearn as ml
from minilearn import autograd, functional, mine, models, nn, optim, train, xp
from minilearn.contracts import course
from minilearn.data import DataLoader, text
from minilearn.functional import norm
from minilearn.op import OPS
from minilearn.slots import Slot, swapped
from minilearn.train.generate import draw as draw_token
from minilearn.train.generate import next_token_probabilities
from minilearn.train.language import activation_penalty

LESSONS = ("01_autograd", "02_training", "03_convolution", "04_normalisation", "05_resnet",
           "06_language")


def module(lesson):
    made = types.ModuleType(lesson)
    exec(compile(course.solutions(lesson), f"{lesson}.py", "exec"), made.__dict__)
    return made


SOLUTIONS = {name: thing for lesson in LESSONS for name, thing in vars(module(lesson)).items()
             if name in mine.ADAPTERS}


def draw(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


def leaf(*shape, seed=0, positive=False):
    values = draw(*shape, seed=seed)
    return ml.tensor(np.abs(values) + 0.5 if positive else values, requires_grad=True)


def with_gradients(function, *inputs):
    """Return the result, and the gradients for a fixed cotangent."""
    y = function(*inputs)
    y.backward(ml.tensor(draw(*y.shape, seed=99)))
    return [y.detach().numpy(), *(x.grad.numpy() for x in inputs)]


def plain(op, *inputs):
    return lambda: with_gradients(op, *[leaf(*s, seed=i, positive=True)
                                        for i, s in enumerate(inputs)])


def layer(function, *shapes):
    return lambda: with_gradients(function, *[leaf(*s, seed=i) for i, s in enumerate(shapes)])


def loss():
    logits = leaf(5, 3)
    functional.cross_entropy(logits, ml.tensor(np.array([0, 2, 1, 1, 0]))).backward()
    return [logits.grad.numpy()]


def stepped(make):
    def run():
        w = leaf(3, 2)
        optimizer = make([w])
        for i in range(3):
            w.grad = ml.tensor(draw(3, 2, seed=i))
            optimizer.step()
        return [w.detach().numpy()]
    return run


def statistics():
    mean, var = ml.tensor(np.zeros(3)), ml.tensor(np.ones(3))
    functional.batch_norm(leaf(4, 3, 2, 2), mean, var, training=True)
    return [mean.numpy(), var.numpy()]


def initialised():
    xp.manual_seed(3)
    return [nn.init.kaiming_normal_(ml.tensor(np.zeros((4, 3, 2, 2))), 0.1, "fan_out").numpy()]


def dropped():
    xp.manual_seed(3)
    return with_gradients(lambda x: functional.dropout(x, 0.3), leaf(4, 5))


def batched():
    loader = DataLoader(range(7), 3, shuffle=True, seed=1)
    return [b.numpy() for b in loader]


def clipped():
    w = leaf(3, 2)
    w.grad = ml.tensor(draw(3, 2))
    total = optim.clip_grad_norm_([w], 0.5)
    return [np.float64(total.item()), w.grad.numpy()]


def smoothed():
    average = train.metrics.Smoothed(0.9)
    return [np.array([average.add(v) for v in (3.0, 1.0, 2.0)] + [average.value])]


def parameters_of(make, channels=4):
    def run():
        xp.manual_seed(3)
        net = make().double()
        y = net(ml.tensor(draw(2, channels, 7, 7)))
        return [*(v.numpy() for v in net.state_dict().values()), y.detach().numpy()]
    return run


def diamond():
    x = leaf(3)
    y = x * 2
    return with_gradients(lambda x: y * y + x, x)


def written(words):
    return np.array([ord(letter) for letter in "|".join(words)])


VOCABULARY = text.Vocabulary.of("a b a b a".split())


def recurrent(module):
    def run():
        xp.manual_seed(3)
        module.double().reset_parameters()
        for p in module.parameters():
            p.grad = None
        found = with_gradients(lambda x: module(x)[0], leaf(5, 2, 3))
        return [*found, *(p.grad.numpy() for p in module.parameters())]
    return run


BN = ((4, 3, 2, 2), (3,), (3,))
FIXED = ml.tensor(np.array([0.1, -0.2, 0.3])), ml.tensor(np.array([1.0, 2.0, 0.5]))
USES = {
    "add_grad": plain(lambda a, b: a + b, (2, 3), (3,)),
    "mul_grad": plain(lambda a, b: a * b, (2, 3), (2, 1)),
    "pow_grad": plain(lambda a, b: a ** b, (2, 3), (3,)),
    "exp_grad": plain(lambda a: a.exp(), (2, 3)),
    "log_grad": plain(lambda a: a.log(), (2, 3)),
    "tanh_grad": plain(lambda a: a.tanh(), (2, 3)),
    "sigmoid_grad": layer(lambda a: a.sigmoid(), (2, 3)),
    "relu_grad": layer(lambda a: a.relu(), (2, 3)),
    "matmul_grad": layer(lambda a, b: a @ b, (2, 3, 4), (4, 5)),
    "unbroadcast": plain(lambda a, b: a + b, (2, 3), (1,)),
    "backward": diamond,
    "topological": diamond,
    "residual": layer(nn.MergeLayer(), (2, 3, 4, 4), (2, 3, 4, 4)),
    "dense_block": layer(nn.MergeLayer(dense=True), (2, 3, 4, 4), (2, 3, 4, 4)),
    "conv_layer": parameters_of(lambda: nn.conv_layer(3, 4, 5, 2, norm=None, use_activ=False), 3),
    "res_block": parameters_of(lambda: nn.res_block(4, norm="batch_zero", bottle=True)),
    "identity_init": parameters_of(lambda: nn.res_block(4, norm="batch_zero")),
    "spell": lambda: [written([text.spell(n)]) for n in (7, 7042, 312_000)],
    "tokenize": lambda: [written(text.tokenize("Hi, NASA\nis 12 in Paris.", begin=begin))
                         for begin in (True, False)],
    "vocabulary": lambda: [written(text.Vocabulary.of("b a c a b a d d".split(), max_size=3).itos)],
    "numericalize": lambda: [VOCABULARY.numericalize(["b", "nobody", "a"])],
    "textify": lambda: [written([VOCABULARY.textify([9, 0, 8])])],
    "language_batches": lambda: [t.numpy() for _ in range(2) for batch in
                                 text.LanguageLoader(np.arange(23), 2, 5) for t in batch],
    "embedding_grad": layer(lambda w: functional.embedding(
        ml.tensor(np.array([[0, 3, 0], [1, 2, 3]])), w, 2), (5, 4)),
    "rnn_cell": recurrent(nn.RNN(3, 4, 2)),
    "rnn": recurrent(nn.RNN(3, 4, 2, bidirectional=True)),
    "rnn_grad": recurrent(nn.RNN(3, 4, batch_first=True)),
    "gru_cell": recurrent(nn.GRU(3, 4, 2)),
    "gru": recurrent(nn.GRU(3, 4, bidirectional=True)),
    "lstm_cell": recurrent(nn.LSTM(3, 4, 2)),
    "activation_regularisation": layer(lambda h: activation_penalty(h, 0.5, 0.25), (2, 3, 4)),
    "token_probabilities": lambda: [next_token_probabilities(draw(5), 0.7, 3)],
    "sample": lambda: [np.array([draw_token(np.array([0.2, 0.0, 0.8]), u)
                                 for u in (0.0, 0.19, 0.2, 0.99)])],
    "conv2d": layer(lambda x, w: functional.conv2d(x, w, None, 2, 1), (2, 3, 5, 4), (4, 3, 3, 2)),
    "conv2d_dilated": layer(lambda x, w: functional.conv2d(x, w, None, (2, 1), 1, (1, 2)),
                            (2, 3, 5, 6), (4, 3, 3, 2)),
    "conv2d_general": layer(lambda x, w: functional.conv2d(x, w, None, 1, 1, 1, 2),
                            (2, 4, 5, 4), (6, 2, 3, 2)),
    "conv2d_grad_weight": layer(lambda x, w: functional.conv2d(x, w, None, 2, 1),
                                (2, 3, 5, 4), (4, 3, 3, 2)),
    "conv2d_grad_input": layer(lambda x, w: functional.conv2d(x, w, None, 2, 1),
                               (2, 3, 5, 4), (4, 3, 3, 2)),
    "conv_transpose2d": layer(lambda x, w, b: functional.conv_transpose2d(x, w, b, 2, 1, 1),
                              (2, 3, 4, 3), (3, 2, 3, 3), (2,)),
    "unfold": layer(lambda x: functional.unfold(x, (2, 3), 1, 1, 2), (2, 3, 5, 4)),
    "max_pool2d": layer(lambda x: functional.max_pool2d(x, 3, 2, 1), (2, 3, 5, 6)),
    "avg_pool2d": layer(lambda x: functional.avg_pool2d(x, 3, 2, 1), (2, 3, 5, 6)),
    "adaptive_avg_pool2d": layer(lambda x: functional.adaptive_avg_pool2d(x, (2, 3)),
                                 (2, 3, 5, 7)),
    "batch_norm": layer(lambda x, w, b: functional.batch_norm(x, None, None, w, b, True), *BN),
    "batch_norm_grad": layer(lambda x, w, b: functional.batch_norm(x, None, None, w, b, True), *BN),
    "running_statistics": statistics,
    "batch_norm_eval": layer(lambda x, w, b: functional.batch_norm(x, *FIXED, w, b), *BN),
    "layer_norm": layer(lambda x, w, b: functional.layer_norm(x, (4,), w, b), (3, 4), (4,), (4,)),
    "group_norm": layer(lambda x, w, b: functional.group_norm(x, 2, w, b),
                        (3, 4, 2, 2), (4,), (4,)),
    "instance_norm": layer(lambda x, w, b: functional.instance_norm(x, None, None, w, b), *BN),
    "dropout": dropped,
    "linear": layer(functional.linear, (2, 5, 3), (4, 3), (4,)),
    "kaiming_normal": initialised,
    "log_softmax": layer(lambda x: functional.log_softmax(x, -1), (4, 3)),
    "cross_entropy": loss,
    "cross_entropy_grad": loss,
    "accuracy": lambda: [train.accuracy(ml.tensor(draw(6, 3)),
                                        ml.tensor(np.arange(6) % 3)).numpy()],
    "top_k_accuracy": lambda: [train.top_k_accuracy(ml.tensor(draw(6, 3)),
                                                    ml.tensor(np.arange(6) % 3), 2).numpy()],
    "confusion_matrix": lambda: [train.Interpretation(
        draw(6, 3), draw(6, 3), np.arange(6) % 3, draw(6), "abc").confusion_matrix()],
    "batches": batched,
    "sgd_step": stepped(lambda w: optim.SGD(w, 0.1, momentum=0.9, weight_decay=0.1, nesterov=True)),
    "adamw_step": stepped(lambda w: optim.AdamW(w, 0.1, weight_decay=0.1)),
    "one_cycle": lambda: [np.array([optim.one_cycle(i, 10, 0.1) for i in range(11)])],
    "clip_grad_norm": clipped,
    "Smoothed": smoothed,
    "should_stop": lambda: [np.array([train.lr_find.__globals__["should_stop"](v)
                                      for v in ([1.0, 5.0], [1.0, 3.0], [1.0, float("nan")])])],
}


def test_every_adapter_has_a_use_and_a_solution():
    assert set(USES) == set(mine.ADAPTERS) == set(SOLUTIONS)


class Used(Exception):
    pass


def broken(*args, **kwargs):
    raise Used


@pytest.mark.parametrize("name", sorted(USES))
def test_the_function_is_used_and_equal(name):
    use = USES[name]
    want = use()
    with mine.in_place_of_the_framework({name: SOLUTIONS[name]}) as names:
        got = use()
        assert names == [name]
    for g, w in zip(got, want, strict=True):
        np.testing.assert_allclose(g, w, rtol=1e-9, atol=1e-12)
        assert np.shape(g) == np.shape(w)
    with pytest.raises(Used), mine.in_place_of_the_framework({name: broken}):
        use()
    for g, w in zip(use(), want, strict=True):  # the framework's own is back
        np.testing.assert_array_equal(g, w)


@pytest.mark.parametrize("name", ["linear_grad", "max_pool2d_grad", "avg_pool2d_grad"])
def test_gradients_that_go_with_a_function(name):
    forward = name.removesuffix("_grad")
    assert name not in mine.ADAPTERS and mine.PARTNERS[name] == forward
    both = {forward: SOLUTIONS[forward], name: getattr(
        module("02_training" if forward == "linear" else "03_convolution"), name)}
    want = USES[forward]()
    with mine.in_place_of_the_framework(both) as names:
        assert names == [forward, name]
        for g, w in zip(USES[forward](), want, strict=True):
            np.testing.assert_allclose(g, w, rtol=1e-9, atol=1e-12)
    with pytest.raises(Used), mine.in_place_of_the_framework(both | {name: broken}):
        USES[forward]()


def second_order():
    x = leaf(2, 3)
    (g,) = ml.grad((x.tanh() * x + (x @ x.T).exp().sum()).sum(), x, create_graph=True)
    (gg,) = ml.grad((g * g).sum(), x)
    return gg.numpy()


def test_second_derivatives_are_the_frameworks():
    want = second_order()
    with mine.in_place_of_the_framework(SOLUTIONS):
        np.testing.assert_allclose(second_order(), want, rtol=1e-10)


UNCOVERED = {
    "conv2d": lambda: functional.conv2d(
        leaf(2, 4, 5, 5), leaf(6, 2, 3, 3), groups=2).detach().numpy(),
    "max_pool2d": lambda: functional.max_pool2d(
        leaf(1, 1, 5, 5), 2, ceil_mode=True).detach().numpy(),
    "avg_pool2d": lambda: functional.avg_pool2d(leaf(1, 4, 4), 2).detach().numpy(),
    "conv_transpose2d": lambda: functional.conv_transpose2d(
        leaf(1, 2, 3, 3), leaf(2, 1, 2, 2), None, (2, 1)).detach().numpy(),
    "batch_norm": lambda: functional.batch_norm(
        leaf(4, 3), None, None, training=True).detach().numpy(),
    "layer_norm": lambda: functional.layer_norm(leaf(4, 3), (3,)).detach().numpy(),
    "linear": lambda: functional.linear(leaf(4, 3), leaf(2, 3)).detach().numpy(),
    "log_softmax": lambda: functional.log_softmax(leaf(4, 3), 0).detach().numpy(),
    "sgd_step": stepped(lambda w: optim.SGD(w, 0.1, momentum=0.9, dampening=0.5)),
    "adamw_step": stepped(lambda w: optim.AdamW(w, 0.1, amsgrad=True)),
}


@pytest.mark.parametrize("name", sorted(UNCOVERED))
def test_what_a_function_does_not_cover_stays_the_frameworks(name):
    want = UNCOVERED[name]()
    with mine.in_place_of_the_framework({name: SOLUTIONS[name]}):
        np.testing.assert_array_equal(UNCOVERED[name](), want)


def losses(steps=4):
    xp.manual_seed(0)
    net = models.MODELS["resnet"]().double()
    optimizer = optim.AdamW(net.parameters(), lr=1e-3)
    found = []
    for i in range(steps):
        x = ml.tensor(draw(8, 1, 28, 28, seed=i))
        y = ml.tensor(np.random.default_rng(i).integers(0, 10, 8))
        value = functional.cross_entropy(net(x), y)
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
        found.append(value.item())
    return found


def test_a_resnet_trains_the_same_with_all_solutions():
    want = losses()
    with mine.in_place_of_the_framework(SOLUTIONS) as names:
        assert len(names) == len(mine.ADAPTERS)
        np.testing.assert_allclose(losses(), want, rtol=1e-9)
    assert losses() == want


def test_hooks_and_frozen_graphs_are_respected():
    seen = []
    with mine.in_place_of_the_framework(SOLUTIONS):
        x = leaf(3)
        y = x * 2
        y.register_hook(lambda g: seen.append(g.numpy()))
        y.sum().backward()
        np.testing.assert_array_equal(x.grad.numpy(), [2, 2, 2])
        assert len(seen) == 1
        z = (x * x).sum()
        z.backward()
        with pytest.raises(RuntimeError, match="retain_graph"):
            z.backward()


# ---------------------------------------------------------------- slots


def test_a_swap_is_undone_after_an_error():
    slot = Slot(lambda: 1)
    with pytest.raises(ValueError), swapped(slot, function=lambda: 2):
        assert slot() == 2
        raise ValueError
    assert slot() == 1


def test_an_unknown_part_is_refused():
    with pytest.raises(AttributeError, match="no rule"), swapped(Slot(len), rule=len):
        raise AssertionError("swapped a part that does not exist")


def test_a_static_method_and_an_inherited_one_come_back_as_they_were():
    class Base:
        @staticmethod
        def step(x):
            return x

    class Derived(Base):
        pass

    for kind in (Base, Derived):
        with swapped(kind, step=staticmethod(lambda x: -x)):
            assert kind().step(2) == -2
        assert kind().step(2) == 2
    assert "step" not in vars(Derived)


def test_slots_keep_name_and_documentation():
    for slot in (functional.linear, functional.max_pool2d, autograd.sum_to, norm.track):
        assert isinstance(slot, Slot) and slot.__name__ and slot.__doc__
    assert "unlisted" not in OPS
