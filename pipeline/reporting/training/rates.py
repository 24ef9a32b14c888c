"""What the monitor's verdicts come to: rates that are too high or too low and from where on, and overfitting."""

import pandas as pd

from pipeline.reporting.findings import Finding
from pipeline.reporting.result.parting import PACE, RATE, Parted, parted
from pipeline.reporting.tables import Tables
from pipeline.reporting.training import stuck
from pipeline.reporting.words import many, number, share

FEWEST, MUCH, MOST = 3, 1 / 3, 1 / 2
"""So many trials are worth a word; from the second share on they are a trouble; from the third the rule."""
UNFIT = ("too short to tell", stuck.KIND, "diverged")


def example(tables: Tables, told: pd.DataFrame) -> pd.Series:
    """The best-ranked trial of some verdicts, else the first by number."""
    rank = {int(trial): place for place, trial in enumerate(tables.ranked.get("number", []))}
    order = told.assign(rank=told["trial"].map(lambda trial: rank.get(int(trial), len(rank))))
    return order.sort_values(["rank", "trial", "since"], kind="stable").iloc[0]


def findings(tables: Tables) -> list[Finding]:
    """On rates and overfitting, where the monitor saw enough of them."""
    told = stuck.verdicts(tables)
    judged = told[~told["kind"].isin(UNFIT)] if len(told) else told
    if judged.empty:
        return []
    return [
        *_rate(tables, told, judged, high=True),
        *_rate(tables, told, judged, high=False),
        *_overfit(tables, judged),
    ]


def begins(tables: Tables, judged: pd.DataFrame, high: bool) -> Parted | None:
    """From which learning rate on, or pace, trials are told that it is too high (or too low); None if not clear."""
    here = judged["kind"] == ("rate too high" if high else "rate too low")
    found = parted(tables, judged.loc[here, "trial"].tolist(), judged.loc[~here, "trial"].tolist(), (RATE, PACE))
    return found if found and found.high == high else None


def _rate(tables: Tables, told: pd.DataFrame, judged: pd.DataFrame, high: bool) -> list[Finding]:
    these = judged[judged["kind"] == ("rate too high" if high else "rate too low")]
    part = len(these) / len(told)
    bound = begins(tables, judged, high)
    if len(these) < FEWEST or (bound is None and part <= MOST):
        return []
    one = example(tables, these)
    word, side, end = ("high", "above", "Lower `high`") if high else ("low", "below", "Raise `low`")
    for_one = f"Trial {int(one['trial'])}, for one: {one['evidence']}."
    searched = RATE in {parameter["name"] for parameter in tables.parameters}
    evidence = f"The monitor says so of {share(len(these), len(told))} of the trials"
    if bound is None:
        verdict = f"Most trials train at a rate that is too {word}."
        turned = ("lower", "low", "Lower") if high else ("higher", "high", "Raise")
        step = f"Search {turned[0]} rates: move `{turned[1]}` of `{RATE}` in `study.space`."
        if not searched:
            step = f"{turned[2]} `{RATE}`, or search it."
        step += "" if high else " Training longer would help, too."
    else:
        over = ", divided by 1 - momentum, it is" if bound.name == PACE else " it is"
        verdict = f"The learning rate is too {word} where{over} {side} about {number(bound.at, 2)}."
        step = f"{end} of `{RATE}` in `study.space`: trials there cost epochs and find nothing."
        evidence += f": {side} {number(bound.at, 2)} of {share(bound.inside, bound.beyond)}, elsewhere of "
        evidence += f"{share(bound.missed, bound.rest)}; those that diverged or learned nothing are left aside"
    trials = tuple(sorted(int(trial) for trial in these["trial"]))
    tone = "caution" if part >= MUCH else "plain"
    return [Finding(verdict, f"{evidence}. {for_one}", step, trials, tone)]  # type: ignore[arg-type]


def _overfit(tables: Tables, judged: pd.DataFrame) -> list[Finding]:
    these = judged[judged["kind"] == "overfitting"]
    if len(these) < max(FEWEST, MUCH * len(judged)):
        return []
    one, since = example(tables, these), these["since"].dropna()
    from_epoch = f", half of them by epoch {int(since.median())}" if len(since) else ""
    evidence = (
        f"So the monitor says of {share(len(these), len(judged))} of the trials that it could judge{from_epoch}. "
        f"Trial {int(one['trial'])}, for one: {one['evidence']}."
    )
    step = (
        "The weights of the best validation are kept, so nothing is lost but time. More data, augmentation, weight "
        "decay or a smaller model would let them learn on."
    )
    trials = tuple(sorted(int(trial) for trial in these["trial"]))
    return [Finding(f"{many(len(these), 'trial')} overfit.", evidence, step, trials, "caution")]
