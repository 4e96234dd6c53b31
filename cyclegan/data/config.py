"""How pictures become samples: the settings of what reads and crops them. No torch here."""

from dataclasses import dataclass
from typing import Annotated, Literal

from tyro.conf import arg

from cyclegan.data.values import check_range
from cyclegan.system.errors import UserError


@dataclass(frozen=True)
class PicturesConfig:
    """What the networks get to see."""

    size: int = 256
    """Training pictures are SIZE x SIZE pixels. Smaller is faster, in time and memory with about its square."""
    load: int | None = None
    """Pictures are first resized to LOAD x LOAD, then cropped at random. Default: SIZE times ZOOM, and without ZOOM 286
    for 256 and in proportion."""
    resize: Literal["stretch", "fit"] = "stretch"
    """stretch makes every picture square (the reference's way); fit keeps proportions and crops the longer side."""
    zoom: float = 1.0
    """Crop squares of up to ZOOM times SIZE pixels and shrink them to SIZE, so that things appear at many scales; 1
    crops SIZE only."""
    flip: bool = True
    """Mirror pictures left to right at random. Turn off where that changes the meaning, as with text."""
    color: float = 0.0
    """Vary brightness, contrast and saturation by up to this share. Results will vary as much: see --diffaug."""
    affine: float = 0.0
    """Rotate by up to this many degrees, and move and scale a little."""
    diffaug: bool = False
    """Show the discriminators pictures of varied brightness, contrast and position, real and generated alike: stretches
    a small data set without the results varying."""
    range: tuple[float, float] | None = None
    """The values that are black and white in pictures of more than 8 bits: 16, signed, 32 or floating point. Default:
    the data set's card, else found over its training pictures. What lies beyond is clipped."""

    @property
    def load_size(self) -> int:
        """The side in pixels to which pictures are resized before the random crop."""
        return self.load or round(self.size * (self.zoom if self.zoom > 1 else 286 / 256))

    @property
    def whole_size(self) -> int:
        """The side in pixels at which to show whole pictures to what was trained on these: the finest scale that was
        seen, with ``zoom`` and where crops are far smaller than the pictures, else the crops' side, as the reference
        does (256 for 286)."""
        return self.load_size if self.zoom > 1 or self.load_size > 1.25 * self.size else self.size

    def check(self) -> None:
        """Raises ``UserError`` on settings that cannot be meant."""
        if self.size < 32:
            raise UserError(f"--size must be at least 32, not {self.size}")
        if self.size % 4:
            raise UserError(f"--size must be a multiple of 4, not {self.size}; try {max(32, self.size // 4 * 4)}")
        if self.load_size < self.size:
            raise UserError(f"--load {self.load_size} is smaller than --size {self.size}; crops need room")
        check_range(self.range)
        if self.zoom < 1:
            raise UserError(f"--zoom must be at least 1, not {self.zoom}")


@dataclass(frozen=True)
class ImagesConfig:
    """What a model that makes pictures from noise gets to see."""

    size: int = 64
    """Pictures are SIZE x SIZE pixels."""
    resize: Literal["fit", "stretch"] = "fit"
    """fit keeps proportions and crops the longer side; stretch makes every picture square."""
    flip: bool = False
    """Mirror pictures left to right at random."""
    category: Annotated[str | None, arg(name="class")] = None
    """Train on one class only: a subfolder of the data set, or one of its labels, such as horse."""
    diffaug: bool = False
    """Show the discriminator pictures of varied brightness, contrast and position, real and generated alike: stretches
    a small data set."""
    shift: bool = False
    """As --diffaug, but only their position varies: where colours must be true."""
    range: tuple[float, float] | None = None
    """The values that are black and white in pictures of more than 8 bits: 16, signed, 32 or floating point. Default:
    the data set's card, else found over its training pictures. What lies beyond is clipped."""

    @property
    def whole_size(self) -> int:
        """The side in pixels of whole pictures."""
        return self.size

    def check(self) -> None:
        """Raises ``UserError`` on settings that cannot be meant."""
        check_range(self.range)
        if self.size < 2:
            raise UserError(f"--size must be at least 2, not {self.size}")


@dataclass(frozen=True)
class VoxelsConfig:
    """What a model of solids gets to see: cubes of cells that are full or empty, and pictures of them."""

    size: int = 32
    """Solids are SIZE x SIZE x SIZE cells; smaller ones are enlarged by a whole factor and set in the middle."""
    pose: int | None = None
    """Take only the solids whose name ends in _POSE: sets that hold each thing turned several times number the turns.
    Default: all."""
    flip: bool = True
    """Mirror solids left to right, with their pictures, at random."""
    view: int = 64
    """The pictures of the solids are VIEW x VIEW pixels."""
    views: int = 12
    """How many pictures there are of each solid, from cameras of its own."""
    turn: float = 75.0
    """The cameras stand up to this many degrees to the left or right of the front."""

    @property
    def whole_size(self) -> int:
        """The side in pixels of the solids' pictures."""
        return self.view

    def check(self) -> None:
        """Raises ``UserError`` on settings that cannot be meant."""
        if self.size not in (16, 32, 64, 128):
            raise UserError(f"--size of solids must be 16, 32, 64 or 128, not {self.size}")
        if self.view not in (32, 64, 128, 256):
            raise UserError(f"--view must be 32, 64, 128 or 256, not {self.view}")
        if self.views < 1 or not 0 <= self.turn <= 180:
            raise UserError("--views must be at least 1, and --turn between 0 and 180 degrees")
