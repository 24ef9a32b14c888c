"""What the monitor's verdicts come to: rates that are too high or too low and from where on, and overfitting."""

import pandas as pd

from thalweg.reporting.advice import epochs, search_space
from thalweg.reporting.analysis import failure_regions
from thalweg.reporting.analysis.separation import PACE
from thalweg.reporting.finding import Finding
from thalweg.reporting.tables import StudyTables
from thalweg.reporting.text import many, number, share

MUCH = 1 / 3
"""The share of trials from which on they are a trouble."""


def example(tables: StudyTables, told: pd.DataFrame) -> pd.Series:
    """The best-ranked trial of some verdicts, else the first by number."""
    rank = {int(trial): place for place, trial in enumerate(tables.ranked.get("number", []))}
    order = told.assign(rank=told["trial"].map(lambda trial: rank.get(int(trial), len(rank))))
    return order.sort_values(["rank", "trial", "since"], kind="stable").iloc[0]


def findings(tables: StudyTables) -> list[Finding]:
    """On rates and overfitting, where the monitor saw enough of them."""
    return [*_rate(tables, high=True), *_rate(tables, high=False), *_overfit(tables, failure_regions.judged(tables))]


def _rate(tables: StudyTables, high: bool) -> list[Finding]:
    these, told, bound = (
        failure_regions.rated(tables, high),
        failure_regions.long_enough(tables),
        failure_regions.rate(tables, high),
    )
    leaning = failure_regions.leaning(tables) == ("low" if high else "high")
    if bound is None and not leaning:
        return []
    one, part = example(tables, these), len(these) / len(told)
    word, side = ("high", "above") if high else ("low", "below")
    for_one = f"Trial {int(one['trial'])}, for one: {one['evidence']}."
    evidence = f"The monitor says so of {share(len(these), len(told))} of the trials that were long enough to tell"
    if bound is None:
        verdict, step = f"Most trials train at a rate that is too {word}.", search_space.rates(tables, high)
    else:
        over = ", divided by 1 - momentum, it is" if bound.name == PACE else " it is"
        verdict = f"The learning rate is too {word} where{over} {side} about {number(bound.at, 2)}."
        step = search_space.without(tables, bound)
        evidence += f": {side} {number(bound.at, 2)} of {share(bound.inside, bound.beyond)}, elsewhere of "
        evidence += f"{share(bound.missed, bound.rest)}; those that diverged or learned nothing are left aside"
    trials = tuple(sorted(int(trial) for trial in these["trial"]))
    tone = "caution" if part >= MUCH else "plain"
    return [Finding(verdict, f"{evidence}. {for_one}", step, trials, tone)]  # type: ignore[arg-type]


def _overfit(tables: StudyTables, judged: pd.DataFrame) -> list[Finding]:
    these = judged[judged["kind"] == "overfitting"] if len(judged) else judged
    if len(these) < max(failure_regions.FEWEST, MUCH * len(judged)):
        return []
    one, since = example(tables, these), these["since"].dropna()
    from_epoch = f", half of them by epoch {int(since.median())}" if len(since) else ""
    evidence = (
        f"So the monitor says of {share(len(these), len(judged))} of the trials that it could judge{from_epoch}. "
        f"Trial {int(one['trial'])}, for one: {one['evidence']}."
    )
    evidence += " The weights of the best validation are kept, so nothing is lost but time."
    step = epochs.regularize(tables)
    trials = tuple(sorted(int(trial) for trial in these["trial"]))
    return [Finding(f"{many(len(these), 'trial')} overfit.", evidence, step, trials, "caution")]
