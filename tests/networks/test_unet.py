"""pix2pix's U-Net: the published layout, batch statistics of one picture, and dropout that stays on."""

import copy

import pytest
import torch
from torch import nn

from cyclegan import Translator
from cyclegan.convert import main as convert
from cyclegan.networks.build import build_discriminator, build_generator
from cyclegan.networks.dropout import NoiseDropout, seed_of, with_seed
from cyclegan.networks.layers import BatchStatisticsNorm, parameter_count
from cyclegan.networks.reference import load_reference
from cyclegan.system.errors import UserError

PIX2PIX = {"name": "unet", "width": 4, "levels": 8, "norm": "batch_statistics", "noise": 0.5}


def published(width=4, levels=8, channels=(3, 3)):
    """A state dict in the authors' layout: their keys, their shapes, statistics as after a training."""
    state, name, w = {}, "model", width

    def batch_norm(key, count):
        state[f"{key}.weight"], state[f"{key}.bias"] = 1 + 0.3 * torch.randn(count), 0.3 * torch.randn(count)
        state[f"{key}.running_mean"], state[f"{key}.running_var"] = torch.randn(count), torch.rand(count) + 0.5
        state[f"{key}.num_batches_tracked"] = torch.tensor(7)

    widths = [w * min(2**i, 8) for i in range(levels)]
    for level, inner in enumerate(widths):
        outer = widths[level - 1] if level else channels[1]
        first, last = level == 0, level == levels - 1
        name, down, up = f"{name}.model", *(("0", "3") if first else ("1", "3") if last else ("1", "5"))
        state[f"{name}.{down}.weight"] = 0.1 * torch.randn(inner, channels[0] if first else outer, 4, 4)
        state[f"{name}.{up}.weight"] = 0.1 * torch.randn(inner if last else 2 * inner, outer, 4, 4)
        if first:
            state[f"{name}.3.bias"] = torch.randn(outer)
        elif last:
            batch_norm(f"{name}.4", outer)
        else:
            batch_norm(f"{name}.2", inner)
            batch_norm(f"{name}.6", outer)
        name += ".1" if first else ".3"
    return state


def test_the_published_networks_have_their_numbers_of_weights():
    generator, discriminator = PIX2PIX | {"width": 64}, {"name": "patch", "in_channels": 6, "norm": "batch"}
    with torch.device("meta"):
        assert parameter_count(build_generator(generator)) == 54_413_955
        assert parameter_count(build_discriminator(discriminator)) == 2_768_705


@pytest.mark.parametrize("levels", [7, 8])
def test_published_weights_come_in_and_go_out_again_to_the_bit(tmp_path, levels, capsys):
    state = published(levels=levels, channels=(1, 3))
    torch.save(state, tmp_path / "latest_net_G.pth")
    network, architecture = load_reference(tmp_path / "latest_net_G.pth")
    assert architecture == PIX2PIX | {"levels": levels, "in_channels": 1, "out_channels": 3}
    assert network.state_dict().keys() == state.keys()
    ours, back = str(tmp_path / "pair" / "G_AB.safetensors"), str(tmp_path / "back.pth")
    assert convert([str(tmp_path / "latest_net_G.pth"), "-o", ours, "--domains", "label", "photo"]) == 0
    assert convert([ours, "-o", back]) == 0
    assert f"--netG unet_{2**levels} --ngf 4 --norm batch --input_nc 1 --output_nc 3\n" in capsys.readouterr().out
    written = torch.load(back, weights_only=True)
    assert written.keys() == state.keys() and all(torch.equal(written[key], state[key]) for key in state)
    assert convert([str(tmp_path / "latest_net_G.pth"), "-o", ours, "--no-dropout", "--overwrite"]) == 0
    assert seed_of(Translator.from_pretrained(ours, device="cpu").network) is None


def test_files_older_than_the_counters_load(tmp_path):
    old = {key: tensor for key, tensor in published().items() if not key.endswith("num_batches_tracked")}
    torch.save({f"module.{key}": tensor for key, tensor in old.items()}, tmp_path / "edges2shoes.pth")
    network, _ = load_reference(tmp_path / "edges2shoes.pth")
    assert all(torch.equal(network.state_dict()[key], old[key]) for key in old)


def test_it_computes_what_the_published_program_computes():
    """Plain batch norms in training mode and a batch of one, with the masks that the noise gives."""
    network = build_generator(PIX2PIX)
    network.load_state_dict(published())
    network.double().eval()
    plain = copy.deepcopy(network)
    for module in list(plain.modules()):
        for name, child in list(module.named_children()):
            if isinstance(child, BatchStatisticsNorm):
                norm = nn.BatchNorm2d(child.num_features).double().train()
                norm.load_state_dict(child.state_dict())
                setattr(module, name, norm)
    pictures = torch.rand(3, 3, 256, 256).double() * 2 - 1
    with torch.no_grad():
        alone = torch.cat([plain(picture[None]) for picture in pictures])
        torch.testing.assert_close(network(pictures), alone, rtol=0, atol=1e-9)


def test_statistics_are_the_batchs_in_training_and_the_pictures_own_afterwards():
    norm, other = BatchStatisticsNorm(2), nn.BatchNorm2d(2)
    x = torch.randn(4, 2, 5, 5) * torch.tensor([1.0, 2, 3, 4]).view(4, 1, 1, 1)
    assert torch.equal(norm(x), other(x)) and torch.equal(norm.running_var, other.running_var)
    norm.eval()
    assert torch.allclose(norm(x), torch.cat([nn.BatchNorm2d(2)(one[None]) for one in x]), atol=1e-6)


def test_noise_is_drawn_in_training_and_follows_from_the_seed_afterwards():
    noise, x = NoiseDropout(0.5, 1), torch.ones(2, 64, 16, 16)
    torch.manual_seed(3)
    trained = noise(x)
    torch.manual_seed(3)
    assert torch.equal(trained, nn.functional.dropout(x, 0.5)), "the draws of PyTorch's own dropout"
    assert not torch.equal(trained[0], trained[1])
    noise.eval()
    state = torch.get_rng_state()
    made = noise(x)
    assert torch.equal(torch.get_rng_state(), state), "nothing is drawn"
    assert torch.equal(made, noise(x)) and torch.equal(made[0], made[1]), "in a batch as alone"
    assert torch.equal(made[..., :9, :5], noise(x[..., :9, :5])), "a mask depends on the place only"
    assert set(made.unique().tolist()) == {0.0, 2.0}


def test_masks_look_random():
    """Means and correlations, of neighbours, layers and seeds, within four standard deviations of 2¹⁵ coins."""
    x, masks = torch.ones(1, 32, 32, 32), []
    for number, seed in ((0, 0), (1, 0), (0, 1), (0, 2)):
        noise = NoiseDropout(0.5, number).eval()
        noise.seed = seed
        masks.append(noise.mask(x) - 1)
    products = [masks[i] * masks[j] for i in range(4) for j in range(i)]
    products += [m.roll(1, axis) * m for m in masks for axis in (0, 1, 2)]
    assert max(abs(m.mean().item()) for m in masks + products) < 4 / 2**7.5
    assert NoiseDropout(0.2).eval().mask(x).mean() == pytest.approx(1, abs=0.02)


def test_a_seed_chooses_the_translation():
    header = {"architecture": PIX2PIX, "domains": ["a", "b"], "preprocessing": {"channels": [3, 3]}}
    network = build_generator(PIX2PIX)
    network.load_state_dict(published())
    first = Translator(network, header, "cpu")
    picture = torch.rand(3, 256, 256) * 2 - 1
    second = first.with_seed(1)
    assert torch.equal(first(picture), first.with_seed(0)(picture)) and torch.equal(first(picture), first(picture))
    assert not torch.equal(first(picture), second(picture))
    assert all(a is b for a, b in zip(first.network.parameters(), second.network.parameters(), strict=True))
    with pytest.raises(UserError, match="0 or more"):
        first.with_seed(-1)
    plain = {"name": "unet", "width": 4, "levels": 5, "dropout": 0.5}
    with pytest.raises(UserError, match="a → b has no noise"):
        Translator(build_generator(plain), header | {"architecture": plain}, "cpu").with_seed(1)


def test_a_copy_with_another_seed_leaves_the_first_alone():
    network = build_generator(PIX2PIX).eval()
    with_seed(network, 5)
    assert all(m.seed == 0 for m in network.modules() if isinstance(m, NoiseDropout))
