"""The step is the paper's: against a textbook implementation, and term by term."""

import copy

import pytest
import torch
from textbook import TextbookCycleGAN

from cyclegan.models.cyclegan import CycleGAN, CycleGANConfig

SMALL = {"width": 8, "width_D": 8, "blocks": 2}


def pictures(count=1, size=32, channels=3):
    return torch.rand(count, channels, size, size) * 2 - 1


def flat(network):
    return torch.cat([p.detach().flatten() for p in network.parameters()])


@pytest.mark.parametrize("batch", [1, 3])
def test_steps_equal_the_textbook_also_after_the_pool_is_full(batch, monkeypatch):
    """Twelve pictures a domain through a history of four, so it overflows; double precision leaves no room for luck."""
    torch.set_default_dtype(torch.float64)
    monkeypatch.setattr("cyclegan.models.cyclegan.ImagePool._exchange", exchange_with_draws)
    try:
        model = CycleGAN(CycleGANConfig(**SMALL, ema=0, pool=4), size=32)
        for number, pool in enumerate((model.pool_A, model.pool_B)):
            pool.draw = torch.Generator().manual_seed(number)
        draws = [make_draw(torch.Generator().manual_seed(number)) for number in (0, 1)]
        textbook = TextbookCycleGAN(
            *(copy.deepcopy(n) for n in (model.G_AB, model.G_BA, model.D_A, model.D_B)), draws, capacity=4
        )
        for _ in range(12 // batch):
            real_A, real_B = pictures(batch), pictures(batch)
            ours, theirs = model.step(real_A, real_B), textbook.step(real_A, real_B)
            assert ours.keys() == theirs.keys()
            for name, value in theirs.items():
                torch.testing.assert_close(ours[name], value, rtol=1e-7, atol=1e-9, msg=name)
        for name in ("G_AB", "G_BA", "D_A", "D_B"):
            torch.testing.assert_close(flat(getattr(model, name)), flat(getattr(textbook, name)), rtol=0, atol=1e-7)
    finally:
        torch.set_default_dtype(torch.float32)


@pytest.mark.parametrize(("of_B", "total"), [(None, 3 * 2 + 3 * 4), (0.5, 3 * 2 + 0.5 * 4)])
def test_the_cycle_that_starts_in_B_may_weigh_differently(of_B, total):
    model = CycleGAN(CycleGANConfig(**SMALL, lambda_cycle=3, lambda_cycle_B=of_B), size=32)
    assert model._weighted({"cycle_A": 2, "cycle_B": 4}) == total


@pytest.mark.parametrize(
    ("held", "moved"),
    [("none", {"G_AB": "AB", "G_BA": "AB"}), ("B", {"G_AB": "AB", "G_BA": "A"}), ("both", {"G_AB": "B", "G_BA": "A"})],
)
def test_back_translation_holds_the_translator_that_goes_first(held, moved):
    """Which cycles move which generator: A → B → A begins with G_AB, B → A → B with G_BA."""
    for generator, cycles in moved.items():
        for cycle in "AB":
            model = CycleGAN(CycleGANConfig(**SMALL, back_translation=held), size=32)
            _, losses = model._generators_turn(pictures(), pictures())
            weight = next(getattr(model, generator).parameters())
            (gradient,) = torch.autograd.grad(losses[f"cycle_{cycle}"], weight, allow_unused=True)
            assert (gradient is not None and bool(gradient.any())) == (cycle in cycles), (generator, cycle)


def test_the_change_loss_is_the_distance_of_output_and_input():
    model = CycleGAN(CycleGANConfig(**SMALL, lambda_change=2), size=32)
    real_A, real_B = pictures(), pictures()
    fakes, losses = model._generators_turn(real_A, real_B)
    torch.testing.assert_close(losses["change_A"], (fakes["B"] - real_A).abs().mean())
    torch.testing.assert_close(losses["change_B"], (fakes["A"] - real_B).abs().mean())
    assert model._weighted({"change_A": 3, "change_B": 4}) == 2 * 7
    of_two_kinds = CycleGAN(CycleGANConfig(**SMALL, lambda_change=2), size=32, channels=(1, 3))
    assert "change_A" not in of_two_kinds.step(pictures(channels=1), real_B)


@pytest.mark.parametrize(("level", "moves"), [(1.0, False), (-1.0, False), (0.5, True)])
def test_discriminators_do_not_pull_at_pure_white_and_black(level, moves):
    """A fresh residual translator returns its input, so all of its output is at the end of the range or none."""
    model = CycleGAN(CycleGANConfig(generator="mobile", width=4, blocks=1, residual=2.0), size=32)
    _, losses = model._generators_turn(torch.full((1, 3, 32, 32), level), pictures())
    gradients = torch.autograd.grad(losses["G_AB"], list(model.G_AB.parameters()), allow_unused=True)
    assert any(g is not None and bool(g.any()) for g in gradients) == moves


@pytest.mark.parametrize(("lr_D", "rates"), [(None, [1e-3, 1e-3]), (4e-3, [1e-3, 4e-3])])
def test_the_discriminators_may_learn_at_a_rate_of_their_own(lr_D, rates):
    model = CycleGAN(CycleGANConfig(**SMALL, lr=1e-3, lr_D=lr_D), size=32)
    model.step(pictures(), pictures())
    assert [model.players[name].optimizer.param_groups[0]["lr"] for name in "GD"] == rates


def make_draw(generator):
    def draw():
        return torch.rand((), generator=generator).item() > 0.5, int(torch.randint(4, (), generator=generator))

    return draw


def exchange_with_draws(pool, image):
    """The pool's rule with the textbook's draws: the two differ in how they use random numbers, not in the rule."""
    if len(pool.images) < pool.capacity:
        pool.images.append(image.clone())
        return image
    swap, place = make_draw(pool.draw)()
    if not swap:
        return image
    old, pool.images[place] = pool.images[place], image.clone()
    return old


def test_only_the_movers_weights_change_in_a_turn():
    model = CycleGAN(CycleGANConfig(**SMALL), size=32)
    real_A, real_B = pictures(), pictures()
    players = model.players
    before = {n: flat(getattr(model, n)) for n in ("G_AB", "G_BA", "D_A", "D_B")}

    _, losses = model._generators_turn(real_A, real_B)
    players["G"].move(model._weighted(losses))
    assert all(torch.equal(flat(getattr(model, n)), before[n]) for n in ("D_A", "D_B"))
    assert all(p.grad is None for n in ("D_A", "D_B") for p in getattr(model, n).parameters())
    moved = {n: flat(getattr(model, n)) for n in ("G_AB", "G_BA")}
    assert all(not torch.equal(moved[n], before[n]) for n in moved)

    players["D"].move(model._judge(model.D_A, real_A, real_B) + model._judge(model.D_B, real_B, real_A))
    assert all(torch.equal(flat(getattr(model, n)), moved[n]) for n in moved)
    assert all(not torch.equal(flat(getattr(model, n)), before[n]) for n in ("D_A", "D_B"))


def test_learns_to_turn_red_squares_blue():
    """Two domains that differ in colour alone: within 100 steps red becomes blue and blue red, at the same place."""
    model = CycleGAN(CycleGANConfig(generator="resnet", width=8, blocks=1, lr=2e-3, discriminator="pixel"), size=32)

    def square(color, y, x):
        image = torch.zeros(1, 3, 32, 32)
        image[..., y : y + 16, x : x + 16] = torch.tensor(color).view(1, 3, 1, 1)
        return image

    red, blue = (0.8, -0.8, -0.8), (-0.8, -0.8, 0.8)
    places = torch.randint(0, 16, (100, 4)).tolist()
    for ya, xa, yb, xb in places:
        model.step(square(red, ya, xa), square(blue, yb, xb))
    with torch.no_grad():
        fake_B = model.players["G"].best("G_AB")(square(red, 4, 9))
        fake_A = model.players["G"].best("G_BA")(square(blue, 4, 9))
    inside = (slice(None), slice(8, 16), slice(13, 21))
    r, _, b = fake_B[0][inside].mean((1, 2)).tolist()
    assert b > 0.3 > -0.3 > r, f"red became {r:.2f}, {b:.2f}"
    r, _, b = fake_A[0][inside].mean((1, 2)).tolist()
    assert r > 0.3 > -0.3 > b, f"blue became {r:.2f}, {b:.2f}"


@pytest.mark.parametrize("adversarial", ["vanilla", "hinge", "wgan-gp"])
def test_other_adversarial_losses_train(adversarial):
    model = CycleGAN(CycleGANConfig(**SMALL, adversarial=adversarial), size=32)
    for _ in range(3):
        losses = model.step(pictures(), pictures())
    assert all(value.isfinite() for value in losses.values())


def test_wgan_gp_applies_its_penalty():
    real_A, real_B = pictures(), pictures()
    with_it, without = (
        CycleGAN(CycleGANConfig(**SMALL, adversarial="wgan-gp", lambda_penalty=weight), size=32).step(real_A, real_B)
        for weight in (10.0, 0.0)
    )
    assert with_it["D_A"] > without["D_A"] + 1  # a fresh critic is nearly flat: the penalty is about ½ · 10 · 1


def test_domains_of_different_channels_train_without_an_identity_loss():
    model = CycleGAN(CycleGANConfig(**SMALL), size=32, channels=(1, 3))
    losses = model.step(pictures(channels=1), pictures())
    assert not any(name.startswith("identity") for name in losses)
    rows = model.preview(pictures(channels=1), pictures())
    assert [tuple(p.shape) for p in rows["A → B → A"][0]] == [(1, 32, 32), (3, 32, 32), (1, 32, 32)]


@pytest.mark.parametrize(
    "config",
    [
        CycleGANConfig(),
        CycleGANConfig(generator="mobile", residual=2.0, adversarial="hinge"),
        CycleGANConfig(generator="mobile", palette="both", lambda_chroma=0.5),
    ],
)
def test_the_step_runs_on_the_meta_device(config):
    """No tensor of the step may be made on the CPU by itself, and nothing may ask for a value: meta has none."""
    model = CycleGAN(config, size=64, device="meta")
    batch = torch.empty(2, 3, 64, 64, device="meta")
    losses = model.step(batch, batch)
    assert all(value.device.type == "meta" and not value.requires_grad for value in losses.values())


def test_the_quick_recipes_step_runs_on_the_meta_device():
    pytest.importorskip("timm", reason="the features come with the extra: quick")
    model = CycleGAN(CycleGANConfig(generator="mobile", discriminator="projected", adversarial="hinge", pool=0),
                     size=64, device="meta")  # fmt: skip
    batch = torch.empty(1, 3, 64, 64, device="meta")
    assert model.step(batch, batch)["D_A"].device.type == "meta"


def test_bfloat16_follows_float32():
    batch = pictures(size=64), pictures(size=64)
    exact, rounded = CycleGAN(CycleGANConfig(**SMALL), size=64), CycleGAN(CycleGANConfig(**SMALL), size=64)
    rounded.precision = torch.bfloat16
    for _ in range(3):
        a, b = exact.step(*batch), rounded.step(*batch)
    for name in a:
        torch.testing.assert_close(b[name].float(), a[name], rtol=0.1, atol=0.05, msg=name)


def test_preview_leaves_training_as_it_was():
    model = CycleGAN(CycleGANConfig(generator="unet", width=4, dropout=0.5), size=32)
    batch = pictures(2), pictures(2)
    model.step(*batch)
    random_state, weights = torch.get_rng_state(), flat(model.G_AB)
    model.preview(*batch)
    assert torch.equal(torch.get_rng_state(), random_state)
    assert torch.equal(flat(model.G_AB), weights) and model.G_AB.training


def test_averaged_weights_lie_between_old_and_new():
    model = CycleGAN(CycleGANConfig(**SMALL, ema=0.999, lr=0.01), size=32)
    start = flat(model.G_AB)
    for _ in range(5):
        model.step(pictures(), pictures())
    moved, average = flat(model.G_AB) - start, flat(model.players["G"].best("G_AB")) - start
    share = (average @ moved) / (moved @ moved)
    assert 0.1 < share < 0.97


def test_gradient_checkpointing_computes_blocks_twice_and_the_same_weights():
    batch = pictures(), pictures()
    plain, sparing = (
        CycleGAN(CycleGANConfig(**SMALL, dropout=0.5, gradient_checkpointing=on), size=32) for on in (False, True)
    )
    calls = []
    sparing.G_AB.model[10].conv_block.register_forward_pre_hook(lambda *_: calls.append(1))
    for model in (plain, sparing):
        torch.manual_seed(1)
        model.step(*batch)
    assert len(calls) == 2 * 2  # one of the two passes translates and keeps, the other comes back
    for name in ("G_AB", "G_BA", "D_A", "D_B"):
        assert torch.equal(flat(getattr(plain, name)), flat(getattr(sparing, name))), name
