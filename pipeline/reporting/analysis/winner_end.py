"""When the winner was at its best on fresh seeds: whether its training was long enough."""

from dataclasses import dataclass
from typing import Literal

import pandas as pd
from scipy.stats import binom

from thalweg.reporting.analysis import training_length
from thalweg.reporting.analysis.separation import column
from thalweg.reporting.tables import StudyTables
from thalweg.reporting.text import many

FEWEST = 3
EARLY = 0.6
LATE = 0.1
LEVEL = 0.05
"""Seeds below which nothing is said; shares of training that are early, and late; the share of false findings."""

Kind = Literal["improving", "late", "past", "untold", "enough"]


@dataclass(frozen=True)
class End:
    """How the winner's training ended, of how many `epochs`, set by `name`; by epoch `latest` it was at its best.

    `improving`: at a rate that does not fall; `late`: at one that does, which says nothing of longer training; `past`
    its best; `untold`; long `enough`, as far as is seen.
    """

    kind: Kind
    evidence: str
    name: str
    epochs: int
    latest: int


def of(tables: StudyTables) -> End | None:
    """None where it is not known when the winner was at its best."""
    name, epochs = length(tables)
    if tables.runs.empty or not tables.has_winner or not epochs or "best_epoch" not in tables.runs:
        return None
    best = tables.runs.loc[tables.runs["candidate"] == "winner", "best_epoch"].dropna()
    if len(best) < FEWEST:
        return None
    late, early = int((best > (1 - LATE) * epochs).sum()), int((best <= EARLY * epochs).sum())
    first, latest = int(min(best)), int(max(best))
    when = f"at epoch {first}" if first == latest else f"between epochs {first} and {latest}"
    evidence = (
        f"On {many(len(best), 'fresh seed')} the winner was at its best on validation {when} of {epochs}; on "
        f"{late or 'none'} of them within the last tenth."
    )
    # where validation only wanders about a level, a seed is at its best so early, or so late, with these chances: of
    # few validations the last is more than a tenth
    last = max(LATE, int(tables.setting("training.validate_every") or 1) / epochs)
    kind: Kind
    if late > len(best) / 2 and _stays(tables):
        kind, more = "improving", " Its learning rate does not fall, so more epochs may well help."
    elif late > len(best) / 2:
        kind, more = "late", " A learning rate that falls to zero brings the best to the end, however long training is."
    elif binom.sf(early - 1, len(best), EARLY) < LEVEL:
        kind, more = "past", ""
    else:
        kind, more = ("untold" if binom.sf(late - 1, len(best), last) < LEVEL else "enough"), ""
    return End(kind, evidence + more, name, epochs, latest)


def length(tables: StudyTables) -> tuple[str, int]:
    """For how many epochs the winner was confirmed, and by which setting; its own where they are searched."""
    if longer := tables.setting("confirm.epochs"):
        return "confirm.epochs", int(longer)
    name = "training.epochs"
    own = column(tables, name).get(tables.winner) if len(tables.trials) else tables.setting(name)
    return name, 0 if own is None or pd.isna(own) else int(own)


def _stays(tables: StudyTables) -> bool:
    """Whether the winner's learning rate stayed high to the end of its training, in the study."""
    own = tables.curves[tables.curves["trial"] == tables.winner] if len(tables.curves) else tables.curves
    return bool(training_length.stays(own).any())
