"""Whether the winner's training was long enough, from its best epochs on fresh seeds."""

from dataclasses import dataclass
from typing import Literal

import pandas as pd
from scipy.special import bdtrc

from thalweg.reporting.analysis import training_length
from thalweg.reporting.analysis.separation import list_trial_values
from thalweg.reporting.tables import StudyTables, cache_per_study

MIN_SEEDS = 3  # fewer say nothing
EARLY_SHARE = 0.6  # of training: best epochs up to here count as early
LATE_SHARE = 0.1  # of training: its end
ALPHA = 0.05  # false positives

EndingKind = Literal["improving", "late", "past", "unclear", "enough"]


@dataclass(frozen=True)
class WinnerEnding:
    """The end of the winner's training of `epochs` (set by `setting_name`), from its best epochs on fresh seeds.

    - `kind`: `improving`, the rate stays high. `late`, the rate falls, so longer training is untested. `past`, the best
      is clearly behind. `unclear`, more late seeds than chance. `enough`, no sign that longer training would help.
    - Of `seed_count` seeds, `late_count` were at their best in the last tenth.
    """

    kind: EndingKind
    setting_name: str
    epochs: int
    earliest_best: int
    latest_best: int
    seed_count: int
    late_count: int


@cache_per_study
def find_winner_ending(tables: StudyTables) -> WinnerEnding | None:
    """Classify the end of the winner's training; None if its best epochs are unknown."""
    name, epochs = find_confirmed_epochs(tables)
    if tables.runs.empty or not tables.has_winner or not epochs or "best_epoch" not in tables.runs:
        return None
    best = tables.runs.loc[tables.runs["candidate"] == "winner", "best_epoch"].dropna()
    if len(best) < MIN_SEEDS:
        return None
    late, early = int((best > (1 - LATE_SHARE) * epochs).sum()), int((best <= EARLY_SHARE * epochs).sum())
    # chances of such early or late best epochs if validation only fluctuates around a level; with few validations the
    # last one alone is more than a tenth
    late_chance = max(LATE_SHARE, int(tables.setting("training.validate_every") or 1) / epochs)
    kind: EndingKind
    if late > len(best) / 2:
        kind = "improving" if _is_rate_high(tables) else "late"
    elif bdtrc(early - 1, len(best), EARLY_SHARE) < ALPHA:
        kind = "past"
    else:
        kind = "unclear" if bdtrc(late - 1, len(best), late_chance) < ALPHA else "enough"
    return WinnerEnding(kind, name, epochs, int(min(best)), int(max(best)), len(best), late)


def find_confirmed_epochs(tables: StudyTables) -> tuple[str, int]:
    """Return the setting for the winner's confirmed epochs, and its value; the trial's own if it was searched."""
    if longer := tables.setting("confirm.epochs"):
        return "confirm.epochs", int(longer)
    name = "training.epochs"
    epochs = list_trial_values(tables, name).get(tables.winner) if len(tables.trials) else tables.setting(name)
    return name, 0 if epochs is None or pd.isna(epochs) else int(epochs)


def _is_rate_high(tables: StudyTables) -> bool:
    curves = tables.curves[tables.curves["trial"] == tables.winner] if len(tables.curves) else tables.curves
    return bool(training_length.is_rate_high(curves).any())
