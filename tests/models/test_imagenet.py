"""ResNet-18 and 34: torchvision's sizes and names, and the outputs and gradients of a twin."""

import numpy as np
import pytest
import torch
from models import torchvision_twins
from models.imagenet_parity import handed_over, same_gradients, same_layout, same_outputs

import minilearn as ml
from minilearn import models, nn, weights
from minilearn.models.resnet_imagenet import BasicBlock, ResNet, stage

NETS = {"resnet18": ((2, 2, 2, 2), 11_689_512), "resnet34": ((3, 4, 6, 3), 21_797_672)}


def blank(name, **options):
    return getattr(models, name)(init_weights=False, **options)


@pytest.mark.parametrize("name", NETS)
def test_names_shapes_and_parameter_counts(name):
    blocks, count = NETS[name]
    ours = blank(name)
    assert sum(p.numel() for p in ours.parameters()) == count
    with torch.device("meta"):  # a twin without memory
        same_layout(ours, torchvision_twins.ResNet(blocks))


@pytest.fixture(scope="module")
def pair():
    torch.manual_seed(0)
    twin = torchvision_twins.unsettle(torchvision_twins.ResNet(NETS["resnet18"][0], 10))
    ours = blank("resnet18", num_classes=10)
    handed_over(ours, twin)
    return ours, twin


def test_outputs_in_evaluation(pair):
    same_outputs(*pair, (2, 3, 64, 48), 1e-5)


def test_outputs_and_statistics_in_training(pair):
    same_outputs(*pair, (4, 3, 64, 64), 1e-4, train=True)


@pytest.mark.parametrize("train", [True, False])
def test_gradients(train):
    """The same blocks, thin enough in number for float64: one in each stage."""
    torch.manual_seed(1)
    twin = torchvision_twins.unsettle(torchvision_twins.ResNet((1, 1, 1, 1), 5))
    ours = ResNet((1, 1, 1, 1), 5, init_weights=False)
    handed_over(ours, twin)
    same_gradients(ours, twin, (2, 3, 40, 40), train)


def test_weights_travel_by_file(pair, tmp_path):
    """torch writes, we read and write, torch reads: not a bit changes."""
    _, twin = pair
    torch.save(twin.state_dict(), tmp_path / "theirs.pth")
    ours = blank("resnet18", num_classes=10)
    assert weights.load_into(ours, tmp_path / "theirs.pth") == ([], [])
    weights.save(ours, tmp_path / "ours.pth")
    back = torch.load(tmp_path / "ours.pth", weights_only=True)
    assert list(back) == list(twin.state_dict())
    assert all(torch.equal(back[name], value.cpu()) for name, value in twin.state_dict().items())


@pytest.mark.parametrize("planes, stride", [(4, 1), (4, 2), (6, 1), (6, 2)])
def test_a_block_changes_size_or_width_or_both(planes, stride):
    blocks = stage(4, planes, 2, stride)
    assert (blocks[0].downsample is None) == (planes == 4 and stride == 1)
    assert blocks(ml.randn(2, 4, 6, 6)).shape == (2, planes, 6 // stride, 6 // stride)


def test_first_values():
    ml.manual_seed(0)
    net = ResNet((1, 1, 1, 1), 7)
    for conv in (m for m in net.modules() if isinstance(m, nn.Conv2d)):
        out = conv.out_channels * np.prod(conv.kernel_size)  # kaiming, fan_out, relu
        assert conv.weight.detach().numpy().std() == pytest.approx((2 / out) ** 0.5, rel=0.05)
    assert abs(net.fc.weight.detach().numpy()).max() == pytest.approx(512**-0.5, rel=0.01)
    assert abs(net.fc.bias.detach().numpy()).max() > 0
    assert all((m.weight.detach().numpy() == 1).all() for m in net.modules()
               if isinstance(m, nn.BatchNorm2d))


def test_blocks_that_start_as_the_identity():
    net = ResNet((1, 1, 1, 1), 7, zero_init_residual=True)
    for block in (m for m in net.modules() if isinstance(m, BasicBlock)):
        assert not block.bn2.weight.detach().numpy().any()
        assert block.bn1.weight.detach().numpy().all()


def test_blank_weights_are_zero():
    net = ResNet((1, 1, 1, 1), 7, init_weights=False)
    assert not net.conv1.weight.detach().numpy().any()
    assert nn.Linear(2, 2).weight.detach().numpy().all()  # drawing goes on afterwards


def test_unknown_arguments_are_refused():
    with pytest.raises(TypeError, match="weights"):
        models.resnet18(weights="DEFAULT")
