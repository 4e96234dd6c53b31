"""CUT written out plainly, patch by patch and pass by pass, to hold ``models.cut`` against. Not fast, not general."""

import torch
import torch.nn.functional as F
from torch import nn

LAYERS = (0, 4, 8, 12, 16)


class TextbookCUT:
    """Least squares, one head a layer, three optimisers as in the published code."""

    def __init__(self, G, D, heads, lambda_nce=1.0, identity=True, flip=False, patches=16, lr=2e-4):
        self.G, self.D, self.heads = G, D, heads
        self.lambda_nce, self.identity, self.flip, self.patches = lambda_nce, identity, flip, patches
        self.optimizers = [torch.optim.Adam(net.parameters(), lr, (0.5, 0.999)) for net in (G, D, heads)]

    def features(self, x, layers=LAYERS):
        found = []
        for i, layer in enumerate(self.G.model):
            x = layer(x)
            if i in layers:
                found.append(x.clone())
        return found

    def nce(self, source, made, mirrored):
        total = 0
        queries, keys = self.features(made), self.features(source)
        places = [torch.randperm(k.shape[2] * k.shape[3])[: self.patches] for k in keys]
        for head, query, key, place in zip(self.heads, queries, keys, places, strict=True):
            if mirrored:
                query = torch.flip(query, [3])
            losses = []
            for n in range(len(source)):
                q, k = (head(x[n].permute(1, 2, 0).reshape(-1, x.shape[1])[place]) for x in (query, key))
                q, k = (x / (x.square().sum(1, keepdim=True).sqrt() + 1e-7) for x in (q, k.detach()))
                for i in range(len(place)):
                    others = [-10.0 if j == i else (q[i] * k[j]).sum() for j in range(len(place))]
                    logits = torch.stack([torch.as_tensor(v, dtype=q.dtype) for v in [(q[i] * k[i]).sum(), *others]])
                    losses.append(F.cross_entropy(logits[None] / 0.07, torch.tensor([0])))
            total = total + torch.stack(losses).mean() * self.lambda_nce
        return total / len(queries)

    def step(self, real_A, real_B):
        G_optimizer, D_optimizer, heads_optimizer = self.optimizers
        mirrored = self.flip and torch.rand(()) < 0.5
        turned = [torch.flip(x, [3]) if mirrored else x for x in (real_A, real_B)]
        fake_B = self.G(turned[0])
        same_B = self.G(turned[1]) if self.identity else None

        D_optimizer.zero_grad()
        on_fake, on_real = self.D(fake_B.detach()), self.D(real_B)
        loss_D = (F.mse_loss(on_fake, torch.zeros_like(on_fake)) + F.mse_loss(on_real, torch.ones_like(on_real))) * 0.5
        loss_D.backward()
        D_optimizer.step()

        G_optimizer.zero_grad()
        heads_optimizer.zero_grad()
        score = self.D(fake_B)
        adversarial = F.mse_loss(score, torch.ones_like(score))
        nce_A = self.nce(real_A, fake_B, mirrored)
        nce_B = self.nce(real_B, same_B, mirrored) if self.identity else None
        loss = adversarial + ((nce_A + nce_B) * 0.5 if self.identity else nce_A)
        loss.backward()
        G_optimizer.step()
        heads_optimizer.step()
        losses = {"G_AB": adversarial, "nce_A": nce_A / self.lambda_nce, "D_B": loss_D}
        return losses | ({"nce_B": nce_B / self.lambda_nce} if self.identity else {})


def copies(model) -> tuple[nn.Module, nn.Module, nn.Module]:
    """Generator, discriminator and heads of a model, to start from."""
    import copy

    return tuple(copy.deepcopy(net) for net in (model.G_AB, model.D_B, model.F.heads))
