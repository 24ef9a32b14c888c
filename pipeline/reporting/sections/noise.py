"""Noise: seeds against trials, each candidate's values over seeds, and folds."""

import pandas as pd

from thalweg.reporting.advice import more_seeds, search_space
from thalweg.reporting.analysis.confirmed import build_confirmed_result
from thalweg.reporting.analysis.mean_curves import values_by_fold
from thalweg.reporting.analysis.seed_noise import difference_by_seed, estimate_seed_noise
from thalweg.reporting.analysis.trial_spread import compare_with_noise, select_best_quarter, variance_share_interval
from thalweg.reporting.finding import CONFIDENCE, Finding, measure
from thalweg.reporting.page.figures import Chart, EmptyFigure, Figure, Table
from thalweg.reporting.page.strips import StripRow, build_strip_chart
from thalweg.reporting.sentences import add_article, describe_noise, describe_unknown_noise, refer_to_fresh_seeds
from thalweg.reporting.tables import StudyTables
from thalweg.reporting.text import (
    count_decimals,
    format_count,
    format_fixed,
    format_number,
    format_percent,
    format_range,
    join_items,
)
from thalweg.stats.interval import Interval
from thalweg.stats.intervals import t_interval

TITLE = "Noise"
ORDER = 32


def build_findings(tables: StudyTables) -> list[Finding]:
    return [*_report_variance_share(tables), *_report_failed_seeds(tables)]


def _report_variance_share(tables: StudyTables) -> list[Finding]:
    """Report how much of the differences between trials is seed noise."""
    comparison, noise, ranked = compare_with_noise(tables), estimate_seed_noise(tables), tables.ranked
    if comparison is None or noise is None:
        if tables.has_same_epochs or tables.runs.empty:
            return []
        return [Finding("The seed noise is not known.", describe_unknown_noise(tables))]
    best, share = select_best_quarter(tables), noise.std**2 / ranked["value"].var()
    trials = tuple(int(trial) for trial in best["number"])
    deviations = {"noise_deviation": noise.std, "trials_deviation": float(ranked["value"].std())}
    deviations["best_quarter_deviation"] = float(best["value"].std())
    noise_sentence = describe_noise(noise, tables.objective_label)
    spread, best_spread = (format_number(table["value"].std(), 2) for table in (ranked, best))
    # those that were stopped early have no value at the end, so nothing here is said of them
    has_stopped = tables.count_trials("pruned") > 0
    whole = "the trials that were kept" if has_stopped else "all trials"
    quarter = f"The best quarter ({format_count(len(best), 'trial')}) has a standard deviation of {best_spread}"
    if comparison == "below":
        more = "no more" if best["value"].std() <= noise.std else "not clearly more"
        verdict = (
            f"The order of the {len(best)} best trials in the search may be luck: their spread ({best_spread}) is "
            f"{more} than that of seeds alone ({format_number(noise.std, 2)})."
        )
        evidence = (
            f"{noise_sentence} {quarter}, all {len(ranked):,} complete trials have {spread}. Which trials are bad is "
            f"not luck: {_describe_share(share)} of the variance of {whole} is seed noise."
        )
        evidence += refer_to_fresh_seeds(tables)
        step = more_seeds.advise_study_seeds(tables)
        return [Finding(verdict, evidence, step, trials, numbers=deviations)]
    evidence = (
        f"{noise_sentence} The {len(ranked):,} complete trials have a standard deviation of {spread}; "
        f"{_describe_share(share)} of that variance is seed noise. {quarter}"
    )
    if comparison == "all":
        kept = "trials that were kept" if has_stopped else "trials"
        verdict = f"Even the best quarter of the {kept} differ by more than seed noise."
        evidence += f"; at most {_describe_share(noise.std**2 / best['value'].var())} of that variance is seed noise."
        return [Finding(verdict, evidence, "", trials, "good", numbers=deviations, confidence=CONFIDENCE)]
    if comparison == "explained":
        verdict = (
            f"The order of the {len(best)} best trials in the search may be luck: seeds alone may differ as much as "
            "they do."
        )
        evidence += ". That not all trials are alike shows in what mattered, or in the comparison with the baseline."
        evidence += refer_to_fresh_seeds(tables)
        step = more_seeds.advise_study_seeds(tables)
        return [Finding(verdict, evidence, step, trials, numbers=deviations)]
    ends = variance_share_interval(share, len(ranked) - 1, noise.dof)
    measured = measure({"noise_share": Interval(share, *ends, len(ranked))}, **deviations)
    evidence += (
        f". The 95 % interval for the share of seed noise in the variance of {whole} is "
        f"{format_range(*map(_describe_share, ends))}."
    )
    kept = "trials that were kept" if has_stopped else "trials of the study"
    if comparison == "alike":
        verdict = f"The {kept} do not differ by more than seed noise."
        if has_stopped:
            return [Finding(verdict, evidence, more_seeds.advise_study_seeds(tables), **measured)]
        return [Finding(verdict, evidence, search_space.advise_other_search(tables), tone="caution", **measured)]
    verdict = f"It is not clear whether the {kept} differ by more than seed noise."
    return [Finding(verdict, evidence, more_seeds.advise_study_seeds(tables), tone="caution", **measured)]


def _describe_share(share: float) -> str:
    """Format a share of 0 to 1 so that rounding never overstates it."""
    return "all" if share >= 1 else "less than 1 %" if share < 0.01 else format_percent(share, whole=True)


def collect_seed_values(tables: StudyTables) -> dict[str, pd.Series]:
    """Return the validation objective over fresh seeds, by candidate; without the seeds on which it diverged."""
    result, column = build_confirmed_result(tables), f"validation_{tables.objective}"
    if result is None:
        return {}
    values = {
        name: difference_by_seed(tables.runs, column, name, None).drop(
            result.diverged_seeds.get(name, []), errors="ignore"
        )
        for name in result.candidates
    }
    return {name: by_seed for name, by_seed in values.items() if len(by_seed) > 1}


def _report_failed_seeds(tables: StudyTables) -> list[Finding]:
    """Report the seeds on which a candidate was far worse than on its others."""
    result, findings = build_confirmed_result(tables), []
    for name, values in collect_seed_values(tables).items():
        failed = values[values.index.isin(result.failed_seeds.get(name, []) if result else [])]
        if failed.empty:
            continue
        seeds, candidate = format_count(len(values), "seed"), add_article(name)
        listed = join_items([format_number(value) for value in failed])
        verdict = f"{candidate.capitalize()} failed on {len(failed)} of {seeds} ({listed})."
        evidence = f"The median of its {seeds} is {format_number(values.median())} on the validation set."
        if name != "baseline":
            evidence += " Estimates of seed noise elsewhere leave the failed seeds out."
        numbers = {"failed_seeds": len(failed), "seeds": len(values), "median": float(values.median())}
        step = search_space.advise_lost_seeds(candidate)
        findings.append(Finding(verdict, evidence, step, tone="caution", numbers=numbers))
    return findings


def build_figures(tables: StudyTables) -> list[Figure]:
    candidates, best = collect_seed_values(tables), select_best_quarter(tables)
    figures: list[Figure] = [
        EmptyFigure("seeds", "Seeds and trials", "No candidate was trained on several fresh seeds.")
    ]
    if candidates:
        figures = [_build_seeds_chart(tables, candidates, best), _build_spread_table(tables, candidates)]
    return [*figures, *_build_fold_charts(tables, [int(trial) for trial in best.get("number", [])])]


def _build_seeds_chart(tables: StudyTables, candidates: dict[str, pd.Series], best: pd.DataFrame) -> Chart:
    """Build the chart of trials (first row) and seeds of candidates on one axis, to compare their spreads."""
    label, bounds, rows = tables.objective_label, tables.bounds_of(tables.objective), []
    dots = "Small dots: fresh seeds"
    if tables.has_same_epochs and len(best) > 2:
        values = best.set_index("number")["value"]
        rows.append(StripRow("best quarter", f"{len(best)} trials", "runner-up", values, None, unit="trial"))
        dots += "; in the first row, the best quarter of the study's trials"
    for name, values in candidates.items():
        mean = t_interval(values)
        role = name if name in ("winner", "baseline") else "runner-up"
        rows.append(
            StripRow(name, format_count(len(values), "seed"), role, values, mean and mean.clip_to_bounds(bounds))
        )
    caption = f"{dots}. Large dot: mean over seeds. Bar: its 95 % interval over seeds."
    title = f"{label.capitalize()} on the validation set: trials and seeds"
    return build_strip_chart("seeds", title, caption, label, rows, is_half_width=False)


def _build_spread_table(tables: StudyTables, candidates: dict[str, pd.Series]) -> Table:
    rows = []
    for name, values in candidates.items():
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
    caption = f"{tables.objective_label.capitalize()} on the validation set over fresh seeds."
    caption += " The baseline is retrained for comparison only." if "baseline" in candidates else ""
    return Table("spread", "Seeds of each candidate", caption, pd.DataFrame(rows))


def _build_fold_charts(tables: StudyTables, trials: list[int]) -> list[Figure]:
    folds = values_by_fold(tables, trials)
    if folds.empty:
        return []
    rows = [
        StripRow(f"fold {fold}", "", "runner-up", folds[fold], t_interval(folds[fold]), unit="trial") for fold in folds
    ]
    title, caption = "The best trial, fold by fold", "The best trial of the study on each fold, averaged over seeds."
    if len(folds) > 1:
        title = "The best quarter of the trials, fold by fold"
        caption = (
            f"Small dots: the {len(folds)} best trials of the study, averaged over seeds. Large dot: the mean on this "
            "fold. Bar: its 95 % interval over trials."
        )
    caption += f" {'Lower' if tables.sign > 0 else 'Higher'} is better."
    return [
        build_strip_chart(
            "folds",
            title,
            caption,
            tables.objective_label,
            rows,
            is_half_width=False,
        )
    ]
