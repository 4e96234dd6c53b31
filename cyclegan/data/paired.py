"""Two folders whose pictures belong together by name: a picture and its partner, cropped and mirrored alike."""

from pathlib import Path

from torch import Tensor

from cyclegan.data.pixels import to_tensor
from cyclegan.data.samples import Unpaired
from cyclegan.system.errors import ImageError, UserError


class Paired(Unpaired):
    """Sample k is the next pair of a shuffled round; one draw of crop and mirror serves both of its pictures.

    The arguments are those of ``Unpaired``; ``A[i]`` and ``B[i]`` belong together.
    """

    def sample(self, k: int) -> tuple[Tensor, Tensor]:
        """The k-th sample since training began: uint8 (C, size, size) of A and of B."""
        (place, _), (seed, _) = self._draw(k)
        for shift in range(len(self)):
            try:
                return self._pair((place + shift) % len(self), seed)
            except ImageError:
                if not self.skip_bad:
                    raise
        raise ImageError(f"none of the {len(self)} pairs beside {self.files[0][0]} can be read; put others there")

    def _pair(self, place: int, seed: int) -> tuple[Tensor, Tensor]:
        a, b = (decoder(files[place]) for decoder, files in zip(self.decoders, self.files, strict=True))
        if a.shape[:2] != b.shape[:2]:
            names = f"{self.files[0][place]} and {self.files[1][place]}"
            raise ImageError(f"{names} have different proportions: scale one of them, or use --resize stretch")
        return to_tensor(self._crop(a, seed)), to_tensor(self._crop(b, seed))

    def _draw(self, k: int) -> tuple[tuple[int, int], tuple[int, int]]:
        place, (_, seeds) = self._rounds.place(k), super()._draw(k)
        return (place, place), (seeds[0], seeds[0])


def by_stem(A: list[Path], B: list[Path]) -> tuple[list[Path], list[Path]]:
    """The files of A and their partners in B, by the name without its ending.

    A trailing _A or _B does not count (the maps of CycleGAN's paper are named that way). Raises ``UserError`` that
    names the first file on each side without a partner, or two files of one name.
    """
    in_A, in_B = _named(A, "_A"), _named(B, "_B")
    sides = ((in_A, in_B), (in_B, in_A))
    alone = [next((there[stem] for stem in there if stem not in other), None) for there, other in sides]
    if any(alone):
        said = " and ".join(f"{path} has no partner" for path in alone if path)
        raise UserError(f"{said}: pairs bear the same name in both folders")
    return list(in_A.values()), [in_B[stem] for stem in in_A]


def _named(files: list[Path], end: str) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for path in files:
        first = found.setdefault(path.stem.removesuffix(end), path)
        if first is not path:
            raise UserError(f"{first} and {path} bear one name, so nobody can say which of them belongs to a partner")
    return found
