"""The palettes of pictures seen in training, a fair choice of them: colours to draw from where no data are."""

import torch
from torch import Tensor

from cyclegan.networks.palette import spread_out


class PaletteMemory:
    """At most ``capacity`` of all palettes shown to it, each with the same chance (Vitter 1985, algorithm R)."""

    def __init__(self, capacity: int = 64, seed: int = 0):
        self.capacity, self.seen = capacity, 0
        self.palettes: list[Tensor] = []
        self.generator = torch.Generator().manual_seed(seed)

    def add(self, palettes: Tensor) -> None:
        """Takes in (N, 27)."""
        for palette in palettes.detach():
            self.seen += 1
            if len(self.palettes) < self.capacity:
                self.palettes.append(palette.clone())
                continue
            place = int(torch.randint(self.seen, (), generator=self.generator))
            if place < self.capacity:
                self.palettes[place] = palette.clone()

    def draw(self, count: int) -> Tensor:
        """(count, 27): one of those kept for each, drawn anew. Raises ``RuntimeError`` before the first ``add``."""
        places = torch.randint(len(self.palettes), (count,), generator=self.generator)
        return torch.stack([self.palettes[place] for place in places.tolist()])

    def stored(self) -> list[list[float]]:
        """The palettes for a header, three decimals each: the most typical one first, then the most different ones."""
        if not self.palettes:
            return []
        rows = spread_out(torch.stack(self.palettes).cpu()).tolist()
        return [[round(value, 3) for value in row] for row in rows]

    def state_dict(self) -> dict:
        """Palettes, count and random state: a resumed run chooses as an uninterrupted one would."""
        state = {"palettes": [p.cpu() for p in self.palettes], "seen": self.seen}
        return state | {"generator": self.generator.get_state()}

    def load_state_dict(self, state: dict, device: torch.device | str = "cpu") -> None:
        self.palettes = [palette.to(device) for palette in state["palettes"]]
        self.seen = state["seen"]
        self.generator.set_state(state["generator"])
