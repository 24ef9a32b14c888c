"""How noisy is it: seeds against trials, what each candidate's seeds come to, and folds."""

import pandas as pd

from thalweg.reporting.advice import more_seeds, search_space
from thalweg.reporting.analysis.confirmed import add_article, build_confirmed_result
from thalweg.reporting.analysis.mean_curves import values_by_fold
from thalweg.reporting.analysis.seed_noise import (
    compare_with_noise,
    describe_noise,
    difference_by_seed,
    estimate_seed_noise,
    select_best_quarter,
    variance_share_interval,
)
from thalweg.reporting.finding import Finding
from thalweg.reporting.page.figures import Chart, EmptyFigure, Figure, Table
from thalweg.reporting.page.strips import StripRow, build_strip_chart
from thalweg.reporting.tables import StudyTables
from thalweg.reporting.text import (
    count_decimals,
    format_count,
    format_fixed,
    format_number,
    format_percent,
    join_items,
    metric_label,
)
from thalweg.stats.intervals import t_interval

TITLE = "Noise"
ORDER = 65


def build_findings(tables: StudyTables) -> list[Finding]:
    return [*_report_variance_share(tables), *_report_failed_seeds(tables), *_report_seed_range(tables)]


def _report_variance_share(tables: StudyTables) -> list[Finding]:
    """How much of what sets trials apart is seed noise."""
    apart, noise, ranked, best = (
        compare_with_noise(tables),
        estimate_seed_noise(tables),
        tables.ranked,
        select_best_quarter(tables),
    )
    if apart is None or noise is None:
        return []
    part, behind = noise.std**2 / ranked["value"].var(), tuple(int(trial) for trial in best["number"])
    told = f"{describe_noise(noise, metric_label(tables.objective))} on validation"
    all_of, share = f"vary with {format_number(ranked['value'].std(), 2)}", _describe_share(part)
    quarter = f"best quarter, {format_count(len(best), 'trial')}, vary with {format_number(best['value'].std(), 2)}"
    if apart == "below":
        verdict = "The order of the best trials may be luck: seeds alone would spread them as far."
        evidence = f"{told}; the {quarter}. Which trials are bad is no luck: all {len(ranked):,} {all_of}, of which "
        evidence += f"variance {share} is noise of seeds."
        return [Finding(verdict, evidence, more_seeds.advise_study_seeds(tables), behind)]
    evidence = f"{told}; the {len(ranked):,} complete trials {all_of}: {share} of their variance is noise of seeds. "
    evidence += f"The {quarter}"
    if apart == "all":
        verdict = "Even the best quarter of the trials differ beyond the noise of seeds."
        evidence += f": {_describe_share(noise.std**2 / best['value'].var())} of that variance at most."
        return [Finding(verdict, evidence, "", behind, "good")]
    low, high = (_describe_share(end) for end in variance_share_interval(part, len(ranked) - 1, noise.dof))
    evidence += f". The noise of seeds makes {low} to {high} of the trials' variance (95 %)."
    if apart == "alike":
        verdict = "The trials of the study differ no more than seeds alone would make them."
        return [Finding(verdict, evidence, search_space.advise_other_search(tables), tone="caution")]
    verdict = "It cannot be told whether the trials of the study differ by more than seeds alone would make them."
    return [Finding(verdict, evidence, more_seeds.advise_study_seeds(tables), tone="caution")]


def _describe_share(part: float) -> str:
    """A share of 0 to 1 in words that never say more than is so."""
    return "all" if part >= 1 else "less than 1 %" if part < 0.01 else format_percent(part, whole=True)


def collect_seed_values(tables: StudyTables) -> dict[str, pd.Series]:
    """The objective on validation over fresh seeds, by candidate; without the seeds on which it diverged."""
    known, column = build_confirmed_result(tables), f"validation_{tables.objective}"
    if known is None:
        return {}
    each = {name: difference_by_seed(tables.runs, column, name, None) for name in known.candidates}
    sound = {name: values.drop(known.diverged_seeds.get(name, []), errors="ignore") for name, values in each.items()}
    return {name: values for name, values in sound.items() if len(values) > 1}


def _report_failed_seeds(tables: StudyTables) -> list[Finding]:
    """The seeds on which a candidate came to something far worse than on its others."""
    known, told = build_confirmed_result(tables), []
    for name, values in collect_seed_values(tables).items():
        bad = values[values.index.isin(known.failed_seeds.get(name, []) if known else [])]
        if bad.empty:
            continue
        of, each = format_count(len(values), "seed"), join_items([format_number(value) for value in bad])
        rest = "" if name == "baseline" else "; what noise is said to be elsewhere leaves these out"
        evidence = f"The middle one of its {of} ends at {format_number(values.median())}, on validation{rest}."
        verdict = f"On {len(bad)} of {of} {add_article(name)} failed ({each})."
        told.append(Finding(verdict, evidence, search_space.advise_lost_seeds(add_article(name)), tone="caution"))
    return told


def _report_seed_range(tables: StudyTables) -> list[Finding]:
    """How far apart the restarts of a candidate end."""
    known = collect_seed_values(tables)
    if not known:
        return []
    name, values = next(iter(known.items()))
    places = count_decimals(float(values.std()))
    spreads = [f"{format_number(float(each.std()), 2)} for {add_article(one)}" for one, each in known.items()]
    evidence = f"The standard deviation of {metric_label(tables.objective)} over seeds is {join_items(spreads)}, on validation."
    low, high = format_fixed(values.min(), places), format_fixed(values.max(), places)
    return [
        Finding(
            f"Over {format_count(len(values), 'fresh seed')} {add_article(name)} ends between {low} and {high}.",
            evidence,
        )
    ]


def build_figures(tables: StudyTables) -> list[Figure]:
    known, best = collect_seed_values(tables), select_best_quarter(tables)
    figures: list[Figure] = [
        EmptyFigure("seeds", "Seeds and trials", "No candidate was trained on several fresh seeds.")
    ]
    if known:
        figures = [_build_seeds_chart(tables, known, best), _build_spread_table(tables, known)]
    return [*figures, *_build_fold_charts(tables, [int(trial) for trial in best.get("number", [])])]


def _build_seeds_chart(tables: StudyTables, known: dict[str, pd.Series], best: pd.DataFrame) -> Chart:
    """Trials at the top beside the seeds of candidates, on one axis: which of them are further apart?"""
    short, bounds, rows = metric_label(tables.objective), tables.bounds_of(tables.objective), []
    caption = "Small dots: fresh seeds. Large dot: their mean; bar: its 95 % interval over seeds."
    if tables.has_same_epochs and len(best) > 2:
        values = best.set_index("number")["value"]
        rows.append(StripRow("best quarter", f"{len(best)} trials", "runner-up", values, None, unit="trial"))
        below = caption.replace("Small dots", "Below")
        caption = f"First row: the best quarter of the study's trials, a dot each. {below}"
    for name, values in known.items():
        mean = t_interval(values)
        role = name if name in ("winner", "baseline") else "runner-up"
        rows.append(
            StripRow(name, format_count(len(values), "seed"), role, values, mean and mean.clip_to_bounds(bounds))
        )
    return build_strip_chart(
        "seeds", f"{short.capitalize()} on validation: trials and seeds", caption, short, rows, is_half_width=False
    )


def _build_spread_table(tables: StudyTables, known: dict[str, pd.Series]) -> Table:
    rows = []
    for name, values in known.items():
        places = count_decimals(float(values.std()))
        rows.append(
            {
                "candidate": name,
                "seeds": len(values),
                "lowest": format_fixed(values.min(), places),
                "highest": format_fixed(values.max(), places),
                "standard deviation": format_number(float(values.std()), 2),
                "mean": format_fixed(values.mean(), places),
            }
        )
    caption = f"{metric_label(tables.objective).capitalize()} on validation over fresh seeds."
    return Table("spread", "Seeds of each candidate", caption, pd.DataFrame(rows))


def _build_fold_charts(tables: StudyTables, trials: list[int]) -> list[Figure]:
    """The best trials on each fold."""
    wide = values_by_fold(tables, trials)
    if wide.empty:
        return []
    rows = [
        StripRow(f"fold {fold}", "", "runner-up", wide[fold], t_interval(wide[fold]), unit="trial") for fold in wide
    ]
    caption = (
        f"Small dots: the {len(wide)} best trials of the study, each by its mean over seeds. Large dot: their mean "
        f"on this fold; bar: its 95 % interval over trials. {'Lower' if tables.sign > 0 else 'Higher'} is better."
    )
    return [
        build_strip_chart(
            "folds", "The best trials, fold by fold", caption, metric_label(tables.objective), rows, is_half_width=False
        )
    ]
