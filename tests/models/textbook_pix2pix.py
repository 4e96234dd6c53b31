"""pix2pix written out plainly, with PyTorch's own layers and losses, to hold ``models.pix2pix`` against."""

import torch
import torch.nn.functional as F
from torch import nn


class Level(nn.Module):
    """One level of the U-Net, of three children at most: the way down, what lies below, the way up."""

    def __init__(self, down, below, up, joins):
        super().__init__()
        self.down, self.below, self.up, self.joins = nn.Sequential(*down), below, nn.Sequential(*up), joins

    def forward(self, x):
        inner = self.down(x)
        if self.below is not None:
            inner = self.below(inner)
        return torch.cat([x, self.up(inner)], 1) if self.joins else self.up(inner)


def unet(channels, width, levels, dropout):
    widths = [width * min(2**i, 8) for i in range(levels)]
    net = None
    for level in reversed(range(levels)):
        inner, first, last = widths[level], level == 0, level == levels - 1
        outer = channels[0] if first else widths[level - 1]
        down = [] if first else [nn.LeakyReLU(0.2)]
        down += [nn.Conv2d(outer, inner, 4, 2, 1, bias=False)]
        down += [] if first or last else [nn.BatchNorm2d(inner)]
        up = [nn.ReLU(), nn.ConvTranspose2d(inner if last else 2 * inner, channels[1] if first else outer, 4, 2, 1,
                                            bias=first)]  # fmt: skip
        up += [nn.Tanh()] if first else [nn.BatchNorm2d(outer)]
        up += [nn.Dropout(dropout)] if 4 <= level < levels - 1 else []
        net = Level(down, net, up, joins=not first)
    return net


def patch_gan(channels, width):
    def block(i, o, stride):
        return nn.Conv2d(i, o, 4, stride, 1, bias=False), nn.BatchNorm2d(o), nn.LeakyReLU(0.2)

    w = width
    middle = (*block(w, 2 * w, 2), *block(2 * w, 4 * w, 2), *block(4 * w, 8 * w, 1))
    return nn.Sequential(nn.Conv2d(channels, w, 4, 2, 1), nn.LeakyReLU(0.2), *middle, nn.Conv2d(8 * w, 1, 4, 1, 1))


class TextbookPix2Pix:
    def __init__(self, model, adversarial):
        architecture, width = model.architecture, model.D.model[0].out_channels
        channels = architecture["in_channels"], architecture["out_channels"]
        self.G = with_weights_of(unet(channels, architecture["width"], architecture["levels"], 0.5), model.G)
        self.D = with_weights_of(patch_gan(sum(channels), width), model.D)
        self.criterion = F.mse_loss if adversarial == "lsgan" else F.binary_cross_entropy_with_logits
        self.optimizers = [torch.optim.Adam(net.parameters(), 2e-4, (0.5, 0.999)) for net in (self.G, self.D)]

    def gan(self, score, real):
        return self.criterion(score, torch.full_like(score, float(real)))

    def step(self, source, target):
        G_optimizer, D_optimizer = self.optimizers
        fake = self.G(source)
        D_optimizer.zero_grad()
        on_fake = self.D(torch.cat([source, fake.detach()], 1))
        on_real = self.D(torch.cat([source, target], 1))
        loss_D = (self.gan(on_fake, False) + self.gan(on_real, True)) * 0.5
        loss_D.backward()
        D_optimizer.step()
        G_optimizer.zero_grad()
        adversarial = self.gan(self.D(torch.cat([source, fake], 1)), True)
        distance = (fake - target).abs().mean()
        (adversarial + 100 * distance).backward()
        G_optimizer.step()
        return {"G_AB": adversarial, "L1": distance, "D": loss_D}


def with_weights_of(net, other):
    """``net`` with the tensors of ``other``, whose state dict has them nested by level; matched by what they do."""
    if isinstance(net, nn.Sequential):
        net.load_state_dict(other.model.state_dict())
        return net
    level, theirs = net, other.model
    while level is not None:
        below = next((m for m in theirs.model if hasattr(m, "model")), None)
        own = [m for m in theirs.model if m is not below and list(m.parameters())]
        mine = [m for m in (*level.down, *level.up) if list(m.parameters())]
        for a, b in zip(mine, own, strict=True):
            a.load_state_dict(b.state_dict())
        level, theirs = level.below, below
    return net
