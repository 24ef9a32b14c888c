"""When the winner was at its best on fresh seeds: whether its training was long enough."""

from dataclasses import dataclass
from typing import Literal

import pandas as pd
from scipy.stats import binom

from thalweg.reporting.analysis import training_length
from thalweg.reporting.analysis.separation import list_trial_values
from thalweg.reporting.tables import StudyTables
from thalweg.reporting.text import format_count

MIN_SEEDS = 3
EARLY_SHARE = 0.6
LATE_SHARE = 0.1
ALPHA = 0.05
"""Seeds below which nothing is said; shares of training that are early, and late; the share of false findings."""

EndingKind = Literal["improving", "late", "past", "untold", "enough"]


@dataclass(frozen=True)
class WinnerEnding:
    """How the winner's training ended, of how many `epochs`, set by `name`; by epoch `latest` it was at its best.

    `improving`: at a rate that does not fall; `late`: at one that does, which says nothing of longer training; `past`
    its best; `untold`; long `enough`, as far as is seen.
    """

    kind: EndingKind
    evidence: str
    setting_name: str
    epochs: int
    latest_best: int


def find_winner_ending(tables: StudyTables) -> WinnerEnding | None:
    """None where it is not known when the winner was at its best."""
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
        f"On {format_count(len(best), 'fresh seed')} the winner was at its best on validation {when} of {epochs}; on "
        f"{late or 'none'} of them within the last tenth."
    )
    # where validation only wanders about a level, a seed is at its best so early, or so late, with these chances: of
    # few validations the last is more than a tenth
    last = max(LATE_SHARE, int(tables.setting("training.validate_every") or 1) / epochs)
    kind: EndingKind
    if late > len(best) / 2 and _is_rate_high(tables):
        kind, more = "improving", " Its learning rate does not fall, so more epochs may well help."
    elif late > len(best) / 2:
        kind, more = "late", " A learning rate that falls to zero brings the best to the end, however long training is."
    elif binom.sf(early - 1, len(best), EARLY_SHARE) < ALPHA:
        kind, more = "past", ""
    else:
        kind, more = ("untold" if binom.sf(late - 1, len(best), last) < ALPHA else "enough"), ""
    return WinnerEnding(kind, evidence + more, name, epochs, latest)


def find_confirmed_epochs(tables: StudyTables) -> tuple[str, int]:
    """For how many epochs the winner was confirmed, and by which setting; its own where they are searched."""
    if longer := tables.setting("confirm.epochs"):
        return "confirm.epochs", int(longer)
    name = "training.epochs"
    own = list_trial_values(tables, name).get(tables.winner) if len(tables.trials) else tables.setting(name)
    return name, 0 if own is None or pd.isna(own) else int(own)


def _is_rate_high(tables: StudyTables) -> bool:
    """Whether the winner's learning rate stayed high to the end of its training, in the study."""
    own = tables.curves[tables.curves["trial"] == tables.winner] if len(tables.curves) else tables.curves
    return bool(training_length.is_rate_high(own).any())
