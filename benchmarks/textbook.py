"""The published CycleGAN step written out plainly, to hold the real one against.

Separate passes, one optimiser a side, freezing by ``requires_grad``, in the order of the reference implementation:
both cycles forward; identity, adversarial and cycle terms; generators move; then each discriminator on real and
pooled, detached fakes with its loss halved; discriminators move.
"""

import torch
import torch.nn.functional as F


class TextbookPool:
    """``capacity`` images; from then on, half the time one is swapped. ``draw`` decides: () → (swap?, place)."""

    def __init__(self, capacity, draw):
        self.capacity, self.draw, self.images = capacity, draw, []

    def query(self, images):
        shown = []
        for image in images.detach():
            if len(self.images) < self.capacity:
                self.images.append(image.clone())
                shown.append(image)
                continue
            swap, place = self.draw()
            if swap:
                shown.append(self.images[place])
                self.images[place] = image.clone()
            else:
                shown.append(image)
        return torch.stack(shown)


class TextbookCycleGAN:
    """Networks are given; ``lr``, λ_cyc = 10 and λ_idt = 0.5 (times λ_cyc) as published."""

    def __init__(self, G_AB, G_BA, D_A, D_B, draws, capacity=50, lr=2e-4, lam=10.0, lam_idt=0.5):
        self.G_AB, self.G_BA, self.D_A, self.D_B = G_AB, G_BA, D_A, D_B
        self.lam, self.lam_idt = lam, lam_idt
        self.pool_A, self.pool_B = (TextbookPool(capacity, draw) for draw in draws)
        self.optimizer_G = torch.optim.Adam([*G_AB.parameters(), *G_BA.parameters()], lr=lr, betas=(0.5, 0.999))
        self.optimizer_D = torch.optim.Adam([*D_A.parameters(), *D_B.parameters()], lr=lr, betas=(0.5, 0.999))

    @staticmethod
    def gan(scores, real):
        return F.mse_loss(scores, torch.full_like(scores, 1.0 if real else 0.0))

    def step(self, real_A, real_B):
        fake_B = self.G_AB(real_A)
        cycle_A = self.G_BA(fake_B)
        fake_A = self.G_BA(real_B)
        cycle_B = self.G_AB(fake_A)
        for p in [*self.D_A.parameters(), *self.D_B.parameters()]:
            p.requires_grad_(False)
        self.optimizer_G.zero_grad()
        same_B, same_A = self.G_AB(real_B), self.G_BA(real_A)
        terms = {
            "identity_A": F.l1_loss(same_A, real_A),
            "identity_B": F.l1_loss(same_B, real_B),
            "G_AB": self.gan(self.D_B(fake_B), True),
            "G_BA": self.gan(self.D_A(fake_A), True),
            "cycle_A": F.l1_loss(cycle_A, real_A),
            "cycle_B": F.l1_loss(cycle_B, real_B),
        }
        loss_G = terms["G_AB"] + terms["G_BA"] + self.lam * (terms["cycle_A"] + terms["cycle_B"])
        loss_G = loss_G + self.lam * self.lam_idt * (terms["identity_A"] + terms["identity_B"])
        loss_G.backward()
        self.optimizer_G.step()
        for p in [*self.D_A.parameters(), *self.D_B.parameters()]:
            p.requires_grad_(True)
        self.optimizer_D.zero_grad()
        for name, D, real, fake in (
            ("D_A", self.D_A, real_A, self.pool_A.query(fake_A)),
            ("D_B", self.D_B, real_B, self.pool_B.query(fake_B)),
        ):
            terms[name] = 0.5 * (self.gan(D(real), True) + self.gan(D(fake), False))
            terms[name].backward()
        self.optimizer_D.step()
        return {name: term.detach() for name, term in terms.items()}
