"""What one study adds to the calibration: which claims were said, which are true, and which intervals hold."""

from dataclasses import dataclass

Counts = dict[str, list[int]]
"""By claim: studies in which it was said and false, all studies, said and right, and sayable; of an interval: in which
it holds, and all."""


@dataclass(frozen=True)
class Outcome:
    """A claim in one study: whether it was said, whether all that was said is true, and whether it could be true."""

    is_said: bool
    is_true: bool
    is_sayable: bool

    def count(self) -> list[int]:
        """Return the four numbers of `Counts`."""
        is_right = self.is_said and self.is_true and self.is_sayable
        return [int(self.is_said and not self.is_true), 1, int(is_right), int(self.is_sayable)]
