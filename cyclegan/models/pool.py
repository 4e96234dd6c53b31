"""The history of generated images that discriminators learn from."""

import torch
from torch import Tensor


class ImagePool:
    """The last ``capacity`` generated images (section 4, after Shrivastava et al. 2017).

    Until it is full every image passes through and is kept. From then on each image is, with probability ½,
    exchanged for a random older one. Draws come from a CPU generator of the pool's own, so that they neither
    wait for the device nor depend on what else uses random numbers.
    """

    def __init__(self, capacity: int = 50, seed: int = 0):
        self.capacity = capacity
        self.images: list[Tensor] = []
        self.generator = torch.Generator().manual_seed(seed)

    def query(self, images: Tensor) -> Tensor:
        """(N, C, H, W) freshly generated → (N, C, H, W) for the discriminator, detached."""
        images = images.detach()
        if self.capacity == 0:
            return images
        return torch.stack([self._exchange(image) for image in images])

    def _exchange(self, image: Tensor) -> Tensor:
        if len(self.images) < self.capacity:
            self.images.append(image.clone())
            return image
        if torch.rand((), generator=self.generator).item() <= 0.5:
            return image
        place = int(torch.randint(self.capacity, (), generator=self.generator))
        old, self.images[place] = self.images[place], image.clone()
        return old

    def state_dict(self) -> dict:
        """The images and the random state: a resumed run draws as an uninterrupted one would."""
        return {"images": [image.cpu() for image in self.images], "generator": self.generator.get_state()}

    def load_state_dict(self, state: dict, device: torch.device | str = "cpu") -> None:
        self.images = [image.to(device) for image in state["images"]]
        self.generator.set_state(state["generator"])
