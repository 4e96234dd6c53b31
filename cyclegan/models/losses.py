"""Losses: pure functions of tensors, each with its source.

An adversarial objective is a pair of functions. ``discriminator(real, fake)`` is what the discriminator minimises and
``generator(fake)`` what the generator minimises; both take score maps (logits, any shape; a tuple of maps where a
discriminator judges at several scales) and return a 0-d tensor. Scores above zero, or near one for least squares,
mean "real". The paper's factor ½ on the discriminator is applied by the step, not here.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

Scores = Tensor | tuple[Tensor, ...]


def lsgan_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    """E[(D(y) - 1)²] + E[D(G(x))²] (section 4; Mao et al. 2017, eq. 2)."""
    return (real - 1).square().mean() + fake.square().mean()


def lsgan_generator(fake: Tensor) -> Tensor:
    """E[(D(G(x)) - 1)²] (section 4)."""
    return (fake - 1).square().mean()


def vanilla_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    """-E[log σ(D(y))] - E[log(1 - σ(D(G(x))))] on logits (eq. 1; Goodfellow et al. 2014, algorithm 1)."""
    return F.softplus(-real).mean() + F.softplus(fake).mean()


def vanilla_generator(fake: Tensor) -> Tensor:
    """-E[log σ(D(G(x)))], the non-saturating form (Goodfellow et al. 2014, section 3)."""
    return F.softplus(-fake).mean()


def hinge_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    """E[max(0, 1 - D(y))] + E[max(0, 1 + D(G(x)))] (Lim & Ye 2017; Miyato et al. 2018, eq. 16)."""
    return F.relu(1 - real).mean() + F.relu(1 + fake).mean()


def wasserstein_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    """E[D(G(x))] - E[D(y)], to be used with ``gradient_penalty`` (Gulrajani et al. 2017, eq. 3)."""
    return fake.mean() - real.mean()


def raw_generator(fake: Tensor) -> Tensor:
    """-E[D(G(x))]: the generator's side of both the hinge and the Wasserstein objective."""
    return -fake.mean()


def _total(losses: list[Tensor]) -> Tensor:
    return sum(losses[1:], losses[0])


class Adversarial(NamedTuple):
    """An adversarial objective: two functions and whether the critic needs a gradient penalty."""

    on_real_and_fake: Callable[[Tensor, Tensor], Tensor]
    on_fake: Callable[[Tensor], Tensor]
    needs_penalty: bool = False

    def discriminator(self, real: Scores, fake: Scores) -> Tensor:
        """What the discriminator minimises, summed over its scales."""
        if isinstance(real, Tensor):
            return self.on_real_and_fake(real, fake)
        return _total([self.on_real_and_fake(r, f) for r, f in zip(real, fake, strict=True)])

    def generator(self, fake: Scores) -> Tensor:
        """What the generator minimises, summed over the discriminator's scales."""
        return self.on_fake(fake) if isinstance(fake, Tensor) else _total([self.on_fake(f) for f in fake])


def split_scores(scores: Scores, count: int) -> tuple[Scores, Scores]:
    """Scores of ``count`` real pictures and of the fake ones behind them, scale by scale."""
    if isinstance(scores, Tensor):
        return scores[:count], scores[count:]
    return tuple(s[:count] for s in scores), tuple(s[count:] for s in scores)


def accuracy(of_real: Tensor, of_fake: Tensor) -> Tensor:
    """The mean of a discriminator's shares of right answers on real and on generated pictures, 0 to 1, from logits."""
    return ((of_real > 0).float().mean() + (of_fake < 0).float().mean()) / 2


def cycle_loss(cycle: Tensor, real: Tensor, chroma: float = 1.0) -> Tensor:
    """E[‖F(G(x)) - x‖₁] as a mean over pixels (eq. 2), with colour at the weight ``chroma``."""
    return F.l1_loss(*_less_colourful(cycle, real, chroma))


def identity_loss(same: Tensor, real: Tensor, chroma: float = 1.0) -> Tensor:
    """E[‖G(y) - y‖₁] as a mean over pixels (section 5.2): a picture of the target domain should stay as it is.

    ``chroma`` is the weight of its colours.
    """
    return F.l1_loss(*_less_colourful(same, real, chroma))


def _less_colourful(picture: Tensor, other: Tensor, chroma: float) -> tuple[Tensor, Tensor]:
    """Both pictures with their distance from grey of the same luminance (ITU-R BT.601) multiplied by ``chroma``."""
    if chroma == 1 or picture.shape[1] != 3:
        return picture, other
    weights = torch.tensor([0.299, 0.587, 0.114], device=picture.device).view(3, 1, 1)
    grey, grey_other = ((image * weights).sum(1, keepdim=True) for image in (picture, other))
    return grey + chroma * (picture - grey), grey_other + chroma * (other - grey_other)


def change_loss(fake: Tensor, real: Tensor) -> Tensor:
    """‖G(x) - x‖₁ as a mean over pixels: what need not change should not (Shrivastava et al. 2017, arXiv:1612.07828,
    eq. 4, there "self-regularization")."""
    return F.l1_loss(fake, real)


def background_loss(fake: Tensor, real: Tensor, mask: Tensor) -> Tensor:
    """‖(1 - m) ⊙ (G(x) - x)‖₁ as a mean over pixels: what lies outside the mask m should stay (Mo et al. 2019,
    arXiv:1812.10889, eq. 4, there "context preserving", where what is an instance after translating counts as inside).

    ``mask`` is (N, 1, H, W) in [0, 1], 1 inside.
    """
    return ((1 - mask) * (fake - real)).abs().mean()


def l1_loss(fake: Tensor, true: Tensor) -> Tensor:
    """E[‖y - G(x, z)‖₁] as a mean over pixels: the distance from the true picture (Isola et al. 2017, eq. 3)."""
    return F.l1_loss(fake, true)


def feature_loss(fake: Sequence[Tensor], true: Sequence[Tensor]) -> Tensor:
    """The distance of two pictures in a frozen network's features (Johnson et al. 2016, arXiv:1603.08155, eq. 2).

    Feature maps of both, one for each layer. L1 in place of squares, and each layer relative to the mean size of the
    true picture's features there, so that all layers count alike; averaged over layers.
    """
    terms = [F.l1_loss(f, t.detach()) / t.detach().abs().mean() for f, t in zip(fake, true, strict=True)]
    return torch.stack(terms).mean()


def gradient_penalty(
    critic: Callable[[Tensor], Any], real: Tensor, fake: Tensor, weights: Tensor | None = None
) -> Tensor:
    """E[(‖∇D(x̂)‖₂ - 1)²] at random points x̂ between ``real`` and ``fake`` (Gulrajani et al. 2017, eq. 3).

    ``weights`` (N,) in [0, 1] places x̂ = w·real + (1 - w)·fake and is drawn uniformly if not given. The critic's
    value of a picture is the mean of its score map, as in ``wasserstein_discriminator``.
    """
    if weights is None:
        weights = torch.rand(len(real), device=real.device, dtype=real.dtype)
    w = weights.view(-1, *[1] * (real.dim() - 1))
    between = (w * real.detach() + (1 - w) * fake.detach()).requires_grad_()
    scores = critic(between).reshape(len(real), -1).mean(1)
    (slope,) = torch.autograd.grad(scores.sum(), between, create_graph=True)
    return (slope.flatten(1).norm(dim=1) - 1).square().mean()


def patch_nce(query: Tensor, key: Tensor, temperature: float = 0.07) -> Tensor:
    """The PatchNCE loss of each patch (Park et al. 2020, arXiv:2007.15651, eq. 3): (N, P, C) twice → (N, P).

    ``query[n, p]`` should be found among all ``key[n, ·]`` as ``key[n, p]``: the cross-entropy of their products over
    ``temperature``. Negatives come from the same picture; ``key`` gets no gradient. In the published code the positive
    stands a second time among the logits, there as -10, which is kept.
    """
    if query.dtype.itemsize < 4:  # under autocast: a temperature of 0.07 magnifies the rounding of 16 bits
        query, key = query.float(), key.float()
    key = key.detach()
    positive = (query * key).sum(2, keepdim=True)
    negative = query @ key.transpose(1, 2)
    own = torch.eye(query.shape[1], dtype=torch.bool, device=query.device)
    logits = torch.cat([positive, negative.masked_fill(own, -10.0)], 2) / temperature
    return logits.logsumexp(2) - logits[..., 0]


def r1_penalty(critic: Callable[[Tensor], Any], real: Tensor) -> Tensor:
    """½ E[‖∇D(x)‖²] at real pictures (Mescheder et al. 2018, eq. 9, without its weight γ)."""
    real = real.detach().requires_grad_()
    (slope,) = torch.autograd.grad(critic(real).sum(), real, create_graph=True)
    return 0.5 * slope.square().flatten(1).sum(1).mean()


ADVERSARIAL = {
    "lsgan": Adversarial(lsgan_discriminator, lsgan_generator),
    "vanilla": Adversarial(vanilla_discriminator, vanilla_generator),
    "hinge": Adversarial(hinge_discriminator, raw_generator),
    "wgan-gp": Adversarial(wasserstein_discriminator, raw_generator, needs_penalty=True),
}
