"""Whether the winner learns at all: the fall of its training loss."""

from dataclasses import dataclass

from thalweg.reporting.analysis.mean_curves import compute_lane_means
from thalweg.reporting.tables import StudyTables, cache_per_study
from thalweg.stats.curves import difference_std

CLEAR_FALL = 4.0  # of the fluctuation between validations, as for the monitor


@dataclass(frozen=True)
class WinnerLearning:
    """The winner's training loss and its metric on the validation set at its first and last validation.

    `is_learning`: the loss falls by more than CLEAR_FALL times its fluctuation.
    """

    epochs: tuple[int, int]
    losses: tuple[float, float]
    metrics: tuple[float, float]
    is_learning: bool


@cache_per_study
def measure_winner_learning(tables: StudyTables) -> WinnerLearning | None:
    """Measure how far the winner's training loss falls, the mean over its lanes; None if it has no curve."""
    if tables.winner is None or tables.curves.empty or not {"train_loss", tables.objective} <= set(tables.curves):
        return None
    curves = tables.curves[tables.curves["trial"] == tables.winner]
    means = compute_lane_means(curves, ["train_loss", tables.objective]).dropna()
    if len(means) < 2:
        return None
    ends = means.iloc[[0, -1]]
    epochs, losses, metrics = (tuple(ends[name]) for name in ("epoch", "train_loss", tables.objective))
    fluctuation = difference_std(means["train_loss"].to_numpy(), robust=True)
    return WinnerLearning(epochs, losses, metrics, losses[0] - losses[1] > CLEAR_FALL * fluctuation)
