"""Whether the winner's training was long enough, from its best epochs on fresh seeds."""

from dataclasses import dataclass
from typing import Literal

import pandas as pd
from scipy.stats import binom

from thalweg.reporting.analysis import training_length
from thalweg.reporting.analysis.separation import list_trial_values
from thalweg.reporting.tables import StudyTables, cache_per_study
from thalweg.reporting.text import format_count

MIN_SEEDS = 3  # fewer say nothing
EARLY_SHARE = 0.6  # of training: best epochs up to here count as early
LATE_SHARE = 0.1  # of training: its end
ALPHA = 0.05  # false positives

EndingKind = Literal["improving", "late", "past", "unclear", "enough"]


@dataclass(frozen=True)
class WinnerEnding:
    """The end of the winner's training of `epochs` (set by `setting_name`), and the latest of its best epochs.

    Kinds: `improving`, the rate stays high. `late`, the rate falls, so longer training is untested. `past`, the best is
    clearly behind. `unclear`, more late seeds than chance. `enough`, no sign that longer training would help.
    """

    kind: EndingKind
    evidence: str
    setting_name: str
    epochs: int
    latest_best: int


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
    first, latest = int(min(best)), int(max(best))
    when = f"at epoch {first}" if first == latest else f"between epochs {first} and {latest}"
    evidence = (
        f"On {format_count(len(best), 'fresh seed')} the winner reached its best on validation {when} of {epochs}, on "
        f"{late or 'none'} of them within the last tenth."
    )
    # chances of such early or late best epochs if validation only fluctuates around a level; with few validations the
    # last one alone is more than a tenth
    late_chance = max(LATE_SHARE, int(tables.setting("training.validate_every") or 1) / epochs)
    kind: EndingKind
    if late > len(best) / 2 and _is_rate_high(tables):
        kind, reason = "improving", " Its learning rate does not fall, so more epochs may help."
    elif late > len(best) / 2:
        kind, reason = "late", " If the learning rate falls to zero, the best epoch is near the end at any length."
    elif binom.sf(early - 1, len(best), EARLY_SHARE) < ALPHA:
        kind, reason = "past", ""
    else:
        kind, reason = ("unclear" if binom.sf(late - 1, len(best), late_chance) < ALPHA else "enough"), ""
    return WinnerEnding(kind, evidence + reason, name, epochs, latest)


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
