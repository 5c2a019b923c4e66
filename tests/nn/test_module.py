"""Module: attributes, listing, state, moving, copying; compared with torch where torch has it."""

import copy
import pickle

import numpy as np
import pytest
import torch

import minilearn as ml
from minilearn import nn, xp


def net(side):
    """A small net with a shared layer, a buffer that is not saved and one that is."""

    class Net(side.Module):
        def __init__(self):
            super().__init__()
            self.first = side.Linear(3, 4)
            self.rest = side.Sequential(side.BatchNorm1d(4), side.Linear(4, 2, bias=False))
            self.again = self.first
            self.scale = side.Parameter(tensor([1.0, 2.0]))
            self.nothing = None
            self.register_buffer("seen", tensor([0.0]))
            self.register_buffer("scratch", tensor([5.0]), persistent=False)
            self.register_parameter("absent", None)

        def forward(self, x):
            return self.rest(self.first(x)) * self.scale

    tensor = ml.tensor if side is nn else torch.tensor
    return Net()


@pytest.fixture
def pair():
    return net(nn), net(torch.nn)


def names(iterator):
    return [name for name, _ in iterator]


@pytest.mark.parametrize("method", ["named_parameters", "named_buffers", "named_modules"])
@pytest.mark.parametrize("options", [{}, {"prefix": "a.b"}, {"remove_duplicate": False}])
def test_listing_is_torchs(pair, method, options):
    ours, theirs = (names(getattr(m, method)(**options)) for m in pair)
    assert ours == theirs


@pytest.mark.parametrize("method", ["named_parameters", "named_buffers"])
def test_listing_without_recursion(pair, method):
    ours, theirs = (names(getattr(m, method)(recurse=False)) for m in pair)
    assert ours == theirs


def test_children_are_torchs(pair):
    assert names(pair[0].named_children()) == names(pair[1].named_children())
    assert len(list(pair[0].children())) == len(list(pair[1].children()))
    assert len(list(pair[0].modules())) == len(list(pair[1].modules()))


def test_a_shared_parameter_counts_once(pair):
    ours = pair[0]
    assert len(list(ours.parameters())) == len(list(pair[1].parameters())) == 6
    assert ours.again is ours.first
    assert len(list(ours.buffers())) == len(list(pair[1].buffers()))


def test_state_dict_has_torchs_keys_in_torchs_order(pair):
    ours, theirs = (m.state_dict() for m in pair)
    assert list(ours) == list(theirs)
    assert list(pair[0].state_dict(prefix="x.")) == list(pair[1].state_dict(prefix="x."))
    assert ours["first.weight"].shape == (4, 3) and not ours["first.weight"].requires_grad
    assert pair[0].state_dict(keep_vars=True)["scale"] is pair[0].scale


def test_state_dict_into_a_destination():
    found = {"old": 1}
    assert nn.Linear(1, 1).state_dict(destination=found) is found and list(found)[0] == "old"


def test_weights_travel_both_ways(pair):
    ours, theirs = pair
    x = np.random.default_rng(0).standard_normal((5, 3)).astype("float32")
    assert str(ours.load_state_dict(theirs.state_dict())) == "<All keys matched successfully>"
    y = theirs.eval()(torch.tensor(x)).detach().numpy()
    assert np.allclose(xp.to_numpy(ours.eval()(ml.tensor(x)).data), y, rtol=1e-5, atol=1e-6)
    other = net(torch.nn)
    state = {k: torch.tensor(xp.to_numpy(v.data)) for k, v in ours.state_dict().items()}
    other.load_state_dict(state)
    assert torch.equal(other.first.weight, theirs.first.weight)


def test_loading_takes_arrays_tensors_and_casts():
    layer = nn.Linear(2, 1)
    layer.load_state_dict({"weight": np.array([[1.0, 2.0]]), "bias": ml.tensor([3])})
    assert layer.weight.tolist() == [[1.0, 2.0]] and layer.bias.tolist() == [3.0]
    assert str(layer.weight.dtype) == str(layer.bias.dtype) == "float32"
    assert layer.weight.requires_grad and isinstance(layer.weight, nn.Parameter)


def test_what_is_loaded_is_a_copy():
    layer, values = nn.Linear(2, 1), np.array([[1.0, 2.0]], dtype="float32")
    layer.load_state_dict({"weight": values}, strict=False)
    values[0, 0] = 9
    assert layer.weight.tolist() == [[1.0, 2.0]]
    theirs = torch.nn.Linear(2, 1)
    layer.load_state_dict(theirs.state_dict())
    before = layer.weight.tolist()
    theirs.weight.data += 1
    assert layer.weight.tolist() == before


def test_all_mismatches_are_listed_and_nothing_is_loaded():
    model = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 1))
    before = {k: v.tolist() for k, v in model.state_dict().items()}
    bad = {"0.weight": np.zeros((3, 2)), "0.bias": np.zeros(4), "1.weight": np.zeros((1, 2)),
           "extra": np.zeros(1), "2.bias": np.zeros(1)}
    with pytest.raises(RuntimeError) as caught:
        model.load_state_dict(bad)
    text = str(caught.value)
    for part in ("0.bias is (4,), the model has (3,)", "1.weight is (1, 2), the model has (1, 3)",
                 "missing: 1.bias", "unexpected: extra", "unexpected: 2.bias", "Sequential"):
        assert part in text, text
    assert {k: v.tolist() for k, v in model.state_dict().items()} == before


def test_not_strict_reports_names_but_shapes_still_raise():
    ours, theirs = nn.Linear(2, 1), torch.nn.Linear(2, 1)
    given = {"weight": torch.ones(1, 2), "more": torch.ones(1)}
    got, want = (m.load_state_dict(given, strict=False) for m in (ours, theirs))
    assert got.missing_keys == want.missing_keys == ["bias"]
    assert got.unexpected_keys == want.unexpected_keys == ["more"]
    assert "bias" in repr(got) and "more" in repr(got)
    with pytest.raises(RuntimeError, match="shape differs"):
        ours.load_state_dict({"weight": np.zeros(2)}, strict=False)


def test_loading_refuses_what_is_no_state():
    with pytest.raises(TypeError, match="dictionary"):
        nn.Linear(1, 1).load_state_dict([1])
    with pytest.raises(RuntimeError, match="not an array: bias is str"):
        nn.Linear(1, 1).load_state_dict({"weight": np.zeros((1, 1)), "bias": "x"})
    with pytest.raises(TypeError):
        nn.Linear(1, 1).load_state_dict({}, strickt=False)


def test_batches_tracked_may_be_missing_only_where_torch_lets_it():
    norm, state = nn.BatchNorm2d(2), torch.nn.BatchNorm2d(2).state_dict()
    del state["num_batches_tracked"]
    with pytest.raises(RuntimeError, match="num_batches_tracked"):
        norm.load_state_dict(state)
    norm.load_state_dict(dict(state))  # an old checkpoint: no note of versions
    torch.nn.BatchNorm2d(2).load_state_dict(dict(state))


# ---------------------------------------------------------------- attributes


def both(action, *error):
    """Do the same to both nets; both must raise one of the errors (or none)."""
    for side, module in ((nn, net(nn)), (torch.nn, net(torch.nn))):
        tensor = ml.tensor if side is nn else torch.tensor
        if error:
            with pytest.raises(error):
                action(module, side, tensor)
        else:
            action(module, side, tensor)


WRONG = {
    "plain tensor as parameter": (lambda m, s, t: setattr(m, "scale", t([1.0])), TypeError),
    "module as parameter": (lambda m, s, t: setattr(m, "scale", s.ReLU()), TypeError),
    "number as module": (lambda m, s, t: setattr(m, "first", 3), TypeError),
    "list as buffer": (lambda m, s, t: setattr(m, "seen", [1.0]), TypeError),
    "unknown attribute": (lambda m, s, t: m.frist, AttributeError),
    "deleted twice": (lambda m, s, t: [delattr(m, "first") for _ in range(2)], AttributeError),
    "name with a dot": (lambda m, s, t: m.register_parameter("a.b", None), KeyError),
    "empty name": (lambda m, s, t: m.add_module("", None), KeyError),
    "name that is no text": (lambda m, s, t: m.register_buffer(3, None), TypeError),
    "name in use": (lambda m, s, t: m.register_buffer("forward", None), KeyError),
    "module name in use": (lambda m, s, t: m.add_module("scale", s.ReLU()), KeyError),
    "buffer that is no tensor": (lambda m, s, t: m.register_buffer("b", 3), TypeError),
    "parameter that is no parameter": (
        lambda m, s, t: m.register_parameter("b", t([1.0])), TypeError),
    "module that is none": (lambda m, s, t: m.register_module("b", t([1.0])), TypeError),
    "no such submodule": (lambda m, s, t: m.get_submodule("rest.7"), AttributeError),
    "submodule that is none": (lambda m, s, t: m.get_submodule("scale"), AttributeError),
    "no such parameter": (lambda m, s, t: m.get_parameter("rest.1.bias"), AttributeError),
    "parameter that is a buffer": (lambda m, s, t: m.get_parameter("seen"), AttributeError),
    "buffer that is a parameter": (lambda m, s, t: m.get_buffer("scale"), AttributeError),
    "mode that is no bool": (lambda m, s, t: m.train("yes"), ValueError),
    "unknown argument": (lambda m, s, t: s.Linear(2, 2, biass=True), TypeError),
    "too many arguments": (lambda m, s, t: s.ReLU(False, 1, 2), TypeError),
    "no forward": (lambda m, s, t: s.Module()(1), NotImplementedError),
    "integer parameter": (lambda m, s, t: s.Parameter(t([1])), RuntimeError),
    "integer dtype": (lambda m, s, t: m.to(t([1]).dtype), TypeError),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_use_is_refused_as_in_torch(case):
    both(*WRONG[case])


RIGHT = {
    "parameter set to None": lambda m: (setattr(m, "scale", None), names(m.named_parameters())),
    "module set to None": lambda m: (setattr(m, "first", None), names(m.named_modules())),
    "buffer set to None": lambda m: (setattr(m, "seen", None), list(m.state_dict())),
    "buffer replaced by module": lambda m: (
        setattr(m, "seen", type(m.rest)()), list(m.state_dict()), names(m.named_modules())),
    "buffer replaced by parameter": lambda m: (
        setattr(m, "scratch", m.scale), list(m.state_dict()), names(m.named_buffers())),
    "module replaced by parameter": lambda m: (
        setattr(m, "first", m.scale), names(m.named_parameters()), names(m.named_modules())),
    "attribute replaced by module": lambda m: (
        setattr(m, "nothing", m.rest), names(m.named_children())),
    "deleted": lambda m: (delattr(m, "rest"), delattr(m, "scale"), delattr(m, "seen"),
                          delattr(m, "nothing"), list(m.state_dict())),
    "dir": lambda m: [n for n in ("first", "scale", "seen", "nothing") if n in dir(m)],
    "get": lambda m: (m.get_submodule("") is m, m.get_submodule("rest.1").in_features,
                      m.get_parameter("first.bias") is m.first.bias,
                      m.get_buffer("seen") is m.seen),
    "named by hand": lambda m: (m.add_module("0", m.rest), m.register_module("1", None),
                                names(m.named_children()), list(m.state_dict())),
    "repr": repr,
}


@pytest.mark.parametrize("case", RIGHT)
def test_attributes_behave_as_in_torch(pair, case):
    assert RIGHT[case](pair[0]) == RIGHT[case](pair[1])


def test_nothing_can_be_assigned_before_init():
    class Early(nn.Module):
        def __init__(self, value):
            self.value = value

    for value in (nn.Parameter([1.0]), nn.ReLU()):
        with pytest.raises(AttributeError, match="before Module.__init__"):
            Early(value)
    with pytest.raises(AttributeError, match="no attribute"):
        nn.Module.__new__(nn.Module).weight  # noqa: B018


def test_messages_name_the_class_and_the_name():
    with pytest.raises(AttributeError, match="'Linear' object has no attribute 'wieght'"):
        nn.Linear(1, 1).wieght  # noqa: B018
    with pytest.raises(TypeError, match="'int' as 'weight'"):
        nn.Linear(1, 1).weight = 3


# ---------------------------------------------------------------- the whole tree


def test_train_and_eval_reach_everything(pair):
    for module in pair:
        assert module.eval() is module
        assert not any(m.training for m in module.modules())
        module.train()
        assert all(m.training for m in module.modules())


def test_apply_visits_in_torchs_order(pair):
    seen = [[], []]
    for module, found in zip(pair, seen, strict=True):
        assert module.apply(lambda m, found=found: found.append(type(m).__name__)) is module
    assert seen[0] == seen[1]


def test_freezing_and_forgetting_gradients(pair):
    ours = pair[0]
    assert not any(p.requires_grad for p in ours.requires_grad_(False).parameters())
    ours.requires_grad_()
    ours(ml.tensor(np.ones((2, 3), "float32"))).sum().backward()
    assert all(p.grad is not None for p in ours.parameters())
    ours.zero_grad(set_to_none=False)
    assert all(float(abs(p.grad.numpy()).max()) == 0 for p in ours.parameters())
    ours.zero_grad()
    assert all(p.grad is None for p in ours.parameters())


def test_casting_spares_integers_and_follows_gradients(pair):
    ours = pair[0]
    ours(ml.tensor(np.ones((2, 3), "float32"))).sum().backward()
    parameter = ours.scale
    assert ours.double() is ours and ours.scale is parameter
    assert {str(t.dtype) for t in (*ours.parameters(), ours.seen, ours.scratch)} == {"float64"}
    assert str(ours.rest[0].num_batches_tracked.dtype) == "int64"
    assert str(parameter.grad.dtype) == "float64" and parameter.requires_grad
    assert str(ours.to("float32").scale.dtype) == "float32"
    assert str(ours.to(dtype=np.float64).scale.dtype) == "float64"
    assert str(ours.float().scale.dtype) == "float32"
    assert ours.to() is ours


def test_moving_to_another_library(array_library):
    model = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3)).double()
    want = {k: v.tolist() for k, v in model.state_dict().items()}
    with pytest.raises(ValueError, match="use"):
        model.to("array_api_strict" if array_library == "numpy" else "numpy")
    try:
        for name in ("array_api_strict", "torch:cpu", array_library):
            ml.use(name)
            model.to(name)
            tensors = (*model.parameters(), *model.buffers())
            assert all(isinstance(t.data, xp.ARRAY) for t in tensors)
            assert {k: v.tolist() for k, v in model.state_dict().items()} == want
            assert model(ml.tensor(np.ones((2, 2)))).shape == (2, 3)
            assert model[0].weight.requires_grad
            want = {k: v.tolist() for k, v in model.state_dict().items()}
    finally:
        ml.use(array_library)


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_copies_are_independent(duplicate):
    ours = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.BatchNorm1d(3)).eval()
    ours.append(ours[0])
    ours.frozen = nn.Parameter([1.0], requires_grad=False)
    other = duplicate(ours)
    assert type(other) is nn.Sequential and repr(other) == repr(ours) and not other.training
    assert other[0] is other[3] and isinstance(other[0].weight, nn.Parameter)
    assert other[0].weight.requires_grad and not other.frozen.requires_grad
    assert {k: v.tolist() for k, v in other.state_dict().items()} == {
        k: v.tolist() for k, v in ours.state_dict().items()}
    other[0].weight.data = other[0].weight.data + 1
    other[2].train()
    assert ours[0].weight.tolist() != other[0].weight.tolist() and not ours[2].training


def test_parameter_takes_over_the_array():
    array = np.ones(3, "float32")
    parameter = nn.Parameter(ml.tensor(array))
    assert parameter.requires_grad and parameter.is_leaf and parameter.shape == (3,)
    assert repr(parameter).startswith("Parameter containing:\ntensor([1., 1., 1.]")
    assert nn.Parameter().shape == (0,)
    source = ml.tensor([1.0])
    assert nn.Parameter(source).data is source.data
    assert not nn.Parameter(ml.tensor([1]), requires_grad=False).requires_grad
    assert not isinstance(parameter * 2, nn.Parameter)
