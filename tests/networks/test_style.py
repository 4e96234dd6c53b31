"""StyleGAN2's layers against their equations, and what styles and noise do to a picture."""

import pytest
import torch
import torch.nn.functional as F

from cyclegan.networks.build import build_generator
from cyclegan.networks.style import Dense, ModulatedConv, StyleDiscriminator, StyleGenerator, blur, with_deviation
from cyclegan.system.errors import UserError

SMALL = {"latent": 6, "mapping": 2, "channel_base": 64, "channel_max": 8}


def small(size: int = 16) -> StyleGenerator:
    return build_generator({"name": "stylegan", "size": size, **SMALL})


@pytest.mark.parametrize("up", [False, True])
def test_scaling_features_equals_modulated_and_demodulated_weights(up):
    layer = ModulatedConv(5, 4, 3, 3, up=up).double()
    x, w = torch.randn(2, 4, 6, 6).double(), torch.randn(2, 5).double()
    expected = []
    for picture, scale in zip(x, layer.style(w), strict=True):
        weight = layer.gain * layer.weight * scale[None, :, None, None]  # eq. 1
        weight = weight / torch.sqrt(weight.square().sum((1, 2, 3), keepdim=True) + 1e-8)  # eq. 3
        if up:
            expected.append(4 * blur(F.conv_transpose2d(picture[None], weight.transpose(0, 1), stride=2), 1))
        else:
            expected.append(F.conv2d(picture[None], weight, padding=1))
    assert torch.allclose(layer(x, w), torch.cat(expected), rtol=1e-6)
    assert layer(x, w).shape == (2, 3, *((12, 12) if up else (6, 6)))


def test_enlarging_keeps_an_even_picture_even():
    layer = ModulatedConv(2, 1, 1, 3, up=True, demodulate=False)
    torch.nn.init.ones_(layer.weight)
    made = layer(torch.ones(1, 1, 8, 8), torch.zeros(1, 2))
    assert torch.allclose(made[..., 3:-3, 3:-3], torch.full((10, 10), 9 * layer.gain), rtol=1e-5)


@pytest.mark.parametrize("slow", [1.0, 0.01])
def test_weights_of_equal_spread_and_a_slow_layer_learns_slowly(slow):
    layer = Dense(64, 512, slow=slow)
    x = torch.randn(32, 64)
    assert 0.9 < layer(x).std() < 1.1
    weight, bias = layer(torch.eye(64)).detach(), layer(torch.zeros(1, 64)).detach()
    optimizer = torch.optim.Adam(layer.parameters(), 1e-3)
    layer(x).sum().backward()
    optimizer.step()  # the first step of Adam moves every parameter by the learning rate
    assert torch.allclose((layer(torch.zeros(1, 64)) - bias).abs(), torch.tensor(1e-3 * slow), rtol=1e-2)
    moved = layer(torch.eye(64)) - layer(torch.zeros(1, 64)) - (weight - bias)
    assert torch.allclose(moved.abs().mean(), torch.tensor(1e-3 * slow / 8), rtol=0.1)


def test_the_deviation_is_that_of_each_group():
    x = torch.randn(8, 3, 4, 4)
    made = with_deviation(x, group=4)
    assert made.shape == (8, 4, 4, 4) and torch.equal(made[:, :3], x)
    for group in (slice(0, 4), slice(4, 8)):
        expected = x[group].std(0, unbiased=False).mean()
        assert torch.allclose(made[group, 3], expected.expand(4, 4, 4), rtol=1e-4)
    assert with_deviation(x[:1].expand(4, -1, -1, -1))[:, 3].max() < 1e-3
    assert with_deviation(x[:3]).shape == (3, 4, 4, 4), "a batch that no group divides is one group"


def test_layers_before_the_change_follow_the_first_style_only():
    network = small().eval()
    a, b = network.styles(torch.randn(2, 6)).split(1)
    features = []
    for layer in network.convs:
        layer.register_forward_hook(lambda module, inputs, output: features.append(output))
    network(a)
    of_a = features.copy()
    features.clear()
    network(torch.cat([a[:, :3], b[:, 3:]], 1))
    same = [torch.equal(x, y) for x, y in zip(of_a, features, strict=True)]
    assert same == [True, True, True, False, False]


def test_noise_is_fresh_in_training_and_fixed_afterwards():
    network = small()
    for layer in network.convs:
        torch.nn.init.ones_(layer.strength)
    z = torch.randn(3, 6)
    assert not torch.equal(network(z), network(z))
    network.eval()
    assert torch.equal(network(z), network(z))
    again = small()
    again.load_state_dict(network.state_dict())
    assert torch.equal(again.eval()(z), network(z)), "the weights bring the noise along"


def test_the_mean_style_is_followed_in_training_only_and_truncation_draws_to_it():
    network = small()
    for _ in range(2000):
        network.styles(torch.randn(16, 6))
    network.eval()
    mean = network.w_mean.clone()
    styles = network.styles(torch.randn(4000, 6))
    assert torch.allclose(styles[:, 0].mean(0), mean, atol=0.1) and torch.equal(network.w_mean, mean)
    z = torch.randn(2, 6)
    assert torch.equal(network.start(z, 1.0), network.styles(z))
    assert torch.allclose(network.start(z, 0.0), mean.expand(2, network.layers, 6))
    assert torch.allclose(network.start(z, 0.5), (network.styles(z) + mean) / 2, atol=1e-6)


def test_the_discriminator_judges_each_picture_once_at_every_size():
    for size, channels in ((8, 1), (32, 3)):
        network = StyleDiscriminator(size, channels, 64, 8)
        assert network(torch.randn(4, channels, size, size)).shape == (4,)


@pytest.mark.parametrize("size", [4, 48])
def test_other_sizes_are_refused_in_words(size):
    with pytest.raises(UserError, match="power of two"):
        small(size)
