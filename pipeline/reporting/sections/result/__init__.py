"""Does the winner beat the baseline beyond its noise?"""

from dataclasses import replace

import pandas as pd

from thalweg.reporting.analysis.confirmed import (
    again,
    candidates,
    choosing,
    chosen_among,
    confirmed,
    corrects,
    decisive,
    diverged_seeds,
    level,
    one_group,
)
from thalweg.reporting.analysis.seed_noise import by_seed
from thalweg.reporting.finding import Finding
from thalweg.reporting.page.figures import Blank, Figure, Listing
from thalweg.reporting.page.strips import Row, point, strip
from thalweg.reporting.sections.result import doubts, odds, references, selection_bias
from thalweg.reporting.tables import Tables
from thalweg.reporting.text import label, listed, many, number, span
from thalweg.stats.intervals import Interval, interval, judge

TITLE = "Result"
ORDER = 10


def findings(tables: Tables) -> list[Finding]:
    winner, baseline, difference = (confirmed(tables, name) for name in ("winner", "baseline", "difference"))
    if not (winner and baseline and difference):
        return [Finding("Nothing is confirmed yet.", "No candidate was trained again on fresh seeds.", tone="caution")]
    if lost := doubts.no_winner(tables):
        return [*lost, *doubts.diverged(replace(tables, runs=tables.runs[tables.runs["candidate"] == "baseline"]))]
    bad = diverged_seeds(tables)
    simple = [] if "winner" in bad else references.findings(tables)
    # that nothing was learned comes before who learned most
    unbeaten = [one for one in simple if one.tone == "caution"]
    told = [*unbeaten, *doubts.diverged(tables)]
    if not {"winner", "baseline"} & bad.keys():
        itself = tables.winner_is_baseline
        first = _itself(tables, baseline) if itself else _verdict(tables, winner, baseline, difference)
        told = [*doubts.failed(tables), *unbeaten, first, *doubts.diverged(tables)]
    beaten = [one for one in simple if one not in unbeaten]
    luck = [] if "winner" in bad else [*selection_bias.choice(tables), *selection_bias.optimism(tables)]
    return [*told, *doubts.limits(tables), *beaten, *luck, *_rivals(tables), *_refitted(tables)]


def _itself(tables: Tables, baseline: Interval) -> Finding:
    """The winner has the file's own values: there is nothing to compare it with but the runners-up."""
    evidence = (
        f"{choosing(tables)} It has the file's own values. On {tables.part} they reach {label(tables.objective)} "
        f"{span(baseline.mean, baseline.low, baseline.high)}."
    )
    step = "Keep the file's own values."
    behind = () if tables.winner is None else (tables.winner,)
    return Finding("The search found nothing better than the baseline itself.", evidence, step, behind, "caution")


def _refitted(tables: Tables) -> list[Finding]:
    if tables.setting("confirm.refit") != "all":
        return []
    evidence = (
        "`confirm.refit: all` trained it once more on every labelled example, the test part too. The figures here are "
        "of networks that had not seen the test part."
    )
    step = "Judge `thalweg predict` by images that are in none of the parts."
    return [Finding("The final model has learned from the test part.", evidence, step)]


def _verdict(tables: Tables, winner: Interval, baseline: Interval, difference: Interval) -> Finding:
    behind = () if tables.winner is None else (tables.winner,)
    apart = by_seed(tables.runs, f"{tables.part}_{tables.objective}", "winner")
    better = int((apart * tables.sign < 0).sum())
    evidence = (
        f"{choosing(tables)} On {tables.part}, {label(tables.objective)} is "
        f"{span(winner.mean, winner.low, winner.high)} for the winner and "
        f"{span(baseline.mean, baseline.low, baseline.high)} for the baseline: a difference of "
        f"{span(difference.mean, difference.low, difference.high, signed=True)}, from "
        f"{many(difference.n, 'fresh seed')} each; better in {better} of {many(len(apart), 'pair')}."
    )
    if corrects(tables) and (fair := decisive(tables)):
        evidence += (
            f" Without what choosing among {chosen_among(tables)} on these seeds flatters it is "
            f"{span(fair.mean, fair.low, fair.high, signed=True)}, which decides."
        )
    if chance := odds.better_run(tables):
        evidence += f" {chance}"
    if tables.part == "validation":
        evidence += " There is no test part: the winner was chosen on these very examples, so its value flatters it."
    if one_group(tables):
        evidence += f" The {tables.part} part is one group: the interval is for other seeds, not for other examples."
    if difference.n < 2:
        step = "Confirm on more seeds (`confirm.seeds`): a single one says nothing about noise."
        return Finding("One seed cannot tell the winner from the baseline.", evidence, step, behind, "caution")
    where = " on this one group, for other seeds" if one_group(tables) else ""
    used = "`thalweg predict` uses the winner all the same."
    decides = decisive(tables) or difference
    match judge(decides, tables.sign):
        case "better":
            step = "Make the winner the next baseline: artifacts/confirm/winner.yaml is params.yaml with its values."
            if where:
                step = f"Look whether the winner is better on examples of other groups, too. {step}"
                return Finding(f"The winner is better than the baseline{where}.", evidence, step, behind, "caution")
            return Finding("The winner beats the baseline beyond its noise.", evidence, step, behind, "good")
        case "worse":
            step = "Keep the baseline. Look whether the study's validation part is too small to choose by. "
            verdict = f"The baseline beats the winner{where or ' on fresh seeds, beyond noise'}."
            return Finding(verdict, evidence, step + used, behind, "caution")
        case _:
            step, open_still = "Keep the baseline. ", odds.settling(tables)
            if tables.sign * decides.mean < 0 and odds.MORE not in open_still:
                step = "Keep the baseline, or confirm on more seeds (`confirm.seeds`) if so small a gain matters. "
            step += f"{open_still} " if open_still else ""
            verdict = "The winner cannot be told from the baseline."
            if tables.sign * difference.mean > 0:
                verdict = "The baseline leads the winner on fresh seeds, within noise."
            return Finding(verdict, evidence, step + used, behind, "caution")


def _rivals(tables: Tables) -> list[Finding]:
    column = f"{tables.part}_{tables.objective}"
    bad = diverged_seeds(tables)
    names = [name for name in candidates(tables) if name.startswith("runner-up") and not {name, "winner"} & bad.keys()]
    apart = {name: interval(by_seed(tables.runs, column, name, "winner")) for name in names}
    known = {name: each for name, each in apart.items() if each}
    if not known:
        return []
    evidence = f"Difference from the winner on {tables.part}, seed by seed: " + "; ".join(
        f"{name} {span(each.mean, each.low, each.high, signed=True)}" for name, each in known.items()
    )
    close = [name for name, each in known.items() if judge(each, tables.sign) != "worse"]
    trials = tuple(int(t) for t in tables.runs.loc[tables.runs["candidate"].isin(close), "trial"].dropna().unique())
    if not close:
        return [Finding("The winner beats its runners-up beyond the noise of seeds.", f"{evidence}.", tone="good")]
    verb = "is" if len(close) == 1 else "are"
    return [
        Finding(
            f"{listed(close).capitalize()} {verb} not worse than the winner, as far as the seeds can tell.",
            f"{evidence}.",
            f"Choose between the winner and {listed(close)} by cost or simplicity.",
            trials,
        )
    ]


def charts(tables: Tables) -> list[Figure]:
    column = f"{tables.part}_{tables.objective}"
    if tables.runs.empty or column not in tables.runs:
        return [Blank("candidates", "Candidates", "There are no confirmed runs to draw.")]
    names, short = candidates(tables), label(tables.objective)
    level = [_row(tables, name, by_seed(tables.runs, column, name, None), name) for name in names]
    apart = [
        _row(tables, name, by_seed(tables.runs, column, name), "difference") for name in names if name != "baseline"
    ]
    way = "Lower" if tables.sign > 0 else "Higher"
    caption = "Small dots: fresh seeds. Large dot: their mean, on its 95 % intervals: over seeds alone and, where "
    caption += f"known, over seeds and groups of examples at once. {way} is better."
    figures: list[Figure] = [strip("candidates", f"{short.capitalize()} on {tables.part}", caption, short, level)]
    if any(len(row.values) for row in apart):
        caption = "Candidate minus baseline for the same seed. The line is the baseline: "
        caption += f"{'left' if tables.sign > 0 else 'right'} of it is better."
        title = "Difference from the baseline, seed by seed"
        figures.append(strip("differences", title, caption, f"difference in {short}", apart, zero=True))
    return [*figures, *_descent(tables), *references.charts(tables), _listing(tables, names)]


def _row(tables: Tables, name: str, values: pd.Series, entry: str) -> Row:
    """A candidate's row; for winner and baseline with the interval that summary.json holds."""
    trial = tables.runs.loc[tables.runs["candidate"] == name, "trial"].dropna()
    wide = confirmed(tables, entry) if name in ("winner", "baseline") else None
    role = name if name in ("winner", "baseline") else "runner-up"
    mean = interval(values) if entry == "difference" else level(tables, tables.objective, values)
    own = int(trial.iloc[0]) if len(trial) else None
    return Row(name, "" if own is None else f"trial {own}", role, values, mean, wide, trial=own)


def _descent(tables: Tables) -> list[Figure]:
    """The study's best value again on fresh seeds, and the winner's on the test part: what the choice had flattered."""
    best = again(tables)
    if best is None:
        return []
    same = best.trial == tables.winner
    role, whose, winners = ("winner", "", "") if same else (
        "runner-up", f", trial {best.trial}", f", trial {tables.winner}"
    )  # fmt: skip
    rows = [
        Row("in the study", f"validation{whose}", "runner-up", pd.Series(dtype=float), point(best.value)),
        Row("fresh seeds", f"validation{whose}", role, best.values, best.fresh),
    ]
    for part in ([] if same else ["validation"]) + (["test"] if tables.part == "test" else []):
        own = by_seed(tables.runs, f"{part}_{tables.objective}", "winner", None)
        wide = confirmed(tables, "winner") if part == tables.part else None
        mean = level(tables, tables.objective, own)
        rows.append(Row("fresh seeds", f"{part}{winners}", "winner", own, mean, wide))
    caption = "The best value of the study, and what the same parameters reach on fresh seeds."
    if not same:
        caption += f" These chose trial {tables.winner} as the winner."
    fair = confirmed(tables, "corrected")
    if fair and chosen_among(tables) > 1:
        rows.append(Row("corrected", tables.part, "winner", pd.Series(dtype=float), point(fair.mean), fair))
        caption += " Corrected: at each seed, of the candidate that the others would choose."
    return [strip("descent", "What remains of the best value", caption, label(tables.objective), rows, half=False)]


def _listing(tables: Tables, names: list[str]) -> Listing:
    rows = []
    for name in names:
        runs = tables.runs[tables.runs["candidate"] == name]
        row: dict[str, object] = {"candidate": name, "trial": next(iter(runs["trial"].dropna()), None)}
        for metric in tables.metrics:
            if f"{tables.part}_{metric}" in runs:
                known = level(tables, metric, runs[f"{tables.part}_{metric}"])
                value = number(runs[f"{tables.part}_{metric}"].mean())
                row[label(metric)] = span(known.mean, known.low, known.high) if known else value
        rows.append(row)
    table = pd.DataFrame(rows).astype({"trial": "Int64"})
    caption = f"Mean on {tables.part} with its 95 % interval over seeds alone."
    return Listing("metrics", "Every metric", caption, table)
