"""A mean with its interval, without SciPy: stages that read results need no statistics."""

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Interval:
    """A mean and its 95 % interval, from `n` independent values."""

    mean: float
    low: float
    high: float
    n: int

    def clip_to_bounds(self, bounds: tuple[float, float]) -> "Interval":
        """Cut the interval to the possible values; it contains the truth as often as before."""
        low, high = bounds
        return replace(self, low=max(low, self.low), high=min(high, self.high))

    def span_both(self, other: "Interval") -> "Interval":
        """Return this mean with an interval that covers both intervals."""
        return replace(self, low=min(self.low, other.low), high=max(self.high, other.high))
