"""What confirm left: intervals over fresh seeds, and who the candidates are."""

from dataclasses import dataclass

import pandas as pd
from numpy.typing import ArrayLike

from thalweg.reporting.analysis.seed_noise import failed
from thalweg.reporting.tables import Tables
from thalweg.reporting.text import label, many
from thalweg.stats.intervals import Interval, interval, judge


def confirmed(tables: Tables, name: str) -> Interval | None:
    """`winner`, `baseline`, `difference`, `corrected` or `corrected_difference` of summary.json's `confirm`."""
    entry = (tables.summary.get("confirm") or {}).get(name)
    if not entry or entry.get("mean") is None:
        return None
    low, high = (entry["mean"] if entry.get(end) is None else entry[end] for end in ("low", "high"))
    return Interval(entry["mean"], low, high, int(entry.get("seeds") or 0))


def decisive(tables: Tables) -> Interval | None:
    """The difference from the baseline that decides: without what choosing the winner flatters, where that is known."""
    return confirmed(tables, "corrected_difference") or confirmed(tables, "difference")


def level(tables: Tables, metric: str, values: ArrayLike) -> Interval | None:
    """The mean of a metric over seeds with its interval, within what the metric can be."""
    known = interval(values)
    return known.within(tables.bounds_of(metric)) if known else None


def one_group(tables: Tables) -> bool:
    """Whether all judged examples are one group, as far as is known: intervals are then for other seeds alone."""
    groups = ((tables.summary.get("confirm") or {}).get("difference") or {}).get("groups")
    return groups is not None and int(groups) < 2


def the(name: str) -> str:
    """A candidate's name as it stands in a sentence."""
    return name if name.startswith("runner-up") else f"the {name}"


def diverged_seeds(tables: Tables) -> dict[str, list[int]]:
    """The fresh seeds on which a candidate diverged, for each that did on some."""
    if tables.runs.empty or "diverged_step" not in tables.runs:
        return {}
    bad = tables.runs[tables.runs["diverged_step"].notna()]
    found = {name: bad.loc[bad["candidate"] == name, "seed"].tolist() for name in candidates(tables)}
    return {name: seeds for name, seeds in found.items() if seeds}


def failed_seeds(tables: Tables) -> dict[str, list[int]]:
    """The fresh seeds on which a candidate came to something far worse than on its others (`findings.failed`)."""
    column, bad = f"validation_{tables.objective}", diverged_seeds(tables)
    if tables.runs.empty or column not in tables.runs:
        return {}
    runs = tables.runs.dropna(subset=column)
    each = zip(runs["candidate"], runs["seed"], strict=True)
    sound = runs[[seed not in bad.get(name, []) for name, seed in each]]
    lost = sound[failed(sound, column, tables.sign)]
    return {str(name): part["seed"].tolist() for name, part in lost.groupby("candidate")}


def failing(tables: Tables, name: str) -> bool:
    """Whether a candidate diverged, or failed, on some fresh seed."""
    return name in diverged_seeds(tables) or name in failed_seeds(tables)


def candidates(tables: Tables) -> list[str]:
    """Winner, runners-up in order, baseline; without a winner where the baseline's runs stand in its place."""
    names = [] if tables.runs.empty else sorted(tables.runs["candidate"].unique())
    names = names if tables.has_winner else [name for name in names if name != "winner"]
    first = {"winner": 0, "baseline": 2}
    return sorted(names, key=lambda name: (first.get(name, 1), len(name), name))


def choosing(tables: Tables) -> str:
    """How the winner was chosen, as a sentence: among how many trials, by what, on how many seeds."""
    count = sum(name != "baseline" for name in candidates(tables))
    seeds = many(int((tables.runs["candidate"] == "winner").sum()), "fresh seed")
    by, of = f"{label(tables.objective)} on validation", many(len(tables.ranked), "complete trial")
    if count < 2:
        return f"Trial {tables.winner} has the best {by} of {of}; it was trained again on {seeds}."
    return (
        f"The {count} best of {of} by {by} were trained again on {seeds}, and by the same measure these chose trial "
        f"{tables.winner}."
    )


@dataclass(frozen=True)
class Again:
    """The study's best trial: its value there, and the same parameters on fresh seeds, both on validation."""

    trial: int
    value: float
    fresh: Interval
    values: pd.Series


def again(tables: Tables) -> Again | None:
    """The study's best trial again, which need not be the winner: that is chosen by the fresh seeds.

    None where it was confirmed for other epochs than it was chosen by, for the two then differ for that reason too; and
    where it diverged, or failed, on some seed.
    """
    column = f"validation_{tables.objective}"
    if (
        not (tables.same_epochs and tables.has_winner)
        or tables.ranked.empty
        or tables.runs.empty
        or column not in tables.runs
    ):
        return None
    best = tables.ranked.iloc[0]
    own = tables.runs[(tables.runs["trial"] == best["number"]) & (tables.runs["candidate"] != "baseline")]
    values = own.set_index("seed")[column].dropna()
    fresh = level(tables, tables.objective, values)
    if fresh is None or any(failing(tables, str(name)) for name in own["candidate"].unique()):
        return None
    return Again(int(best["number"]), float(best["value"]), fresh, values)


def chosen_among(tables: Tables) -> int:
    """Among how many candidates validation chose the winner."""
    return sum(name != "baseline" for name in candidates(tables))


def corrects(tables: Tables) -> bool:
    """Whether the verdict is another one without what choosing the winner flatters."""
    plain, fair = confirmed(tables, "difference"), decisive(tables)
    return bool(plain and fair) and judge(plain, tables.sign) != judge(fair, tables.sign)  # type: ignore[arg-type]
