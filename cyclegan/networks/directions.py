"""The two ways between the domains of a pair, once: A → B and back."""

from collections.abc import Sequence
from typing import NamedTuple, TypeVar

T = TypeVar("T")


class Direction(NamedTuple):
    """One way between two domains."""

    name: str  # of its generator: of the weights file, of its table on a card
    letters: str  # in flags and reports
    reverse: bool  # from B to A

    def of(self, of_A_and_B: Sequence[T]) -> tuple[T, T]:
        """(the source's, the target's) of what A and B have."""
        a, b = of_A_and_B
        return (b, a) if self.reverse else (a, b)

    @property
    def back(self) -> "Direction":
        """The other one."""
        return DIRECTIONS[not self.reverse]


A_TO_B = Direction("G_AB", "AB", reverse=False)
B_TO_A = Direction("G_BA", "BA", reverse=True)
DIRECTIONS = (A_TO_B, B_TO_A)
