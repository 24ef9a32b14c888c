"""What the study of another program cannot show, and how many runs it would take to know it."""

from typing import Any

import pandas as pd
from scipy.special import chdtri

from thalweg.reporting.analysis.seed_noise import estimate_seed_noise
from thalweg.reporting.finding import Finding
from thalweg.reporting.page.figures import Figure, Table
from thalweg.reporting.tables import StudyTables
from thalweg.reporting.text import capitalise_first, format_code, format_count, format_number, format_share, join_items
from thalweg.stats.intervals import VarianceSource
from thalweg.stats.samples import count_seeds_needed

TITLE = "What is not known"
ORDER = 80
NOISE_TRIALS = 4
"""The best trials to run again for an estimate of the noise."""
NOISE_SEEDS = 4
"""Fresh seeds for each of them."""
CONFIRM_TRIALS = 3
"""The best trials to run on fresh seeds beside the default."""
CONFIRM_SEEDS = 8
"""Fresh seeds for each, where the noise is not known."""
MAX_SEEDS = 100
"""The largest number of seeds worth advising."""


def build_findings(tables: StudyTables) -> list[Finding]:
    if tables.trials.empty:
        return _report_open_trials(tables)
    return [
        *_report_noise(tables),
        *_report_luck(tables),
        *_report_design(tables),
        *_report_open_trials(tables),
        *_report_space(tables),
        *_report_lacks(tables),
    ]


def _report_noise(tables: StudyTables) -> list[Finding]:
    """Report that the noise is not known, and what it takes to know it."""
    count = min(NOISE_TRIALS, len(tables.ranked))
    if estimate_seed_noise(tables) is not None or not count:
        return []
    copies = tables.repeat_count
    again = f"{format_share(copies, copies + len(tables.trials), 'trial')} " if copies else ""
    evidence = "No setting was run again with a seed of its own"
    if copies:
        evidence = f"{capitalise_first(again)}{'repeats' if copies == 1 else 'repeat'} a setting, but too few differ"
    dof = count * (NOISE_SEEDS - 1)
    ratios = [format_number((dof / chdtri(dof, chance)) ** 0.5, 2) for chance in (0.025, 0.975)]
    runs = f"the best trial again, with {NOISE_SEEDS} fresh seeds"
    if count > 1:
        runs = f"the {count} best trials again, with {NOISE_SEEDS} fresh seeds each: {count * NOISE_SEEDS} runs"
    step = f"Run {runs}. Their standard deviation is then known within a factor of {ratios[0]} to {ratios[1]} (95 %)."
    evidence += ": which differences between trials are more than luck, this report cannot say."
    return [Finding("How much of the differences between trials is luck is not known.", evidence, step, tone="caution")]


def _report_luck(tables: StudyTables) -> list[Finding]:
    """Report that the best value is that of a choice among many, and what it takes to know its value."""
    if tables.ranked.empty:
        return []
    if tables.summary.confirm is not None:
        evidence = (
            "Each run gave one value of the objective, and the search chose by such values. If they were measured on "
            "examples, these examples chose the winner: its lead may vanish on others."
        )
        step = "Measure winner and default once on examples, or in conditions, that chose nothing."
        return [Finding("Whether the result holds elsewhere is not known.", evidence, step)]
    ranked, noise = tables.ranked, estimate_seed_noise(tables)
    best, count = int(ranked["number"].iloc[0]), min(CONFIRM_TRIALS, len(ranked))
    value = format_number(ranked["value"].iloc[0])
    evidence = f"Trial {best} has the value {value}. It is the only complete trial."
    if len(ranked) > 1:
        evidence = (
            f"Trial {best} was chosen because its value, {value}, is the best of {len(ranked):,} complete trials: "
        )
        evidence += "the best of many is also the luckiest."
    if not tables.runs.empty:
        evidence += " It was run on fresh seeds, but the default was not, so there is nothing to compare it with."
    seeds, reason = CONFIRM_SEEDS, ""
    if noise is not None and len(ranked) > 1:
        gap = float(abs(ranked["value"].iloc[1] - ranked["value"].iloc[0]))
        single = noise.std * tables.seeds_per_trial**0.5
        needed = count_seeds_needed(gap, 2**0.5 * single, VarianceSource(0.0, 1), 0.8, MAX_SEEDS) if gap else None
        seeds = CONFIRM_SEEDS if needed is None else max(needed, 2)
        lead = f"the lead over the next, {format_number(gap, 2)}, "
        reason = f" So many show {lead}if it is real, with a chance of 80 %."
        if needed is None:
            reason = f" Even {MAX_SEEDS} would hardly show {lead}which noise of {format_number(single, 2)} hides."
    best_trials = "the best trial" if count == 1 else f"the {count} best trials"
    step = (
        f"Run {best_trials} and your default with {seeds} fresh seeds each, the same for all: {(count + 1) * seeds} "
        f"runs.{reason}"
    )
    return [Finding("Whether the best trial is better than your default is not known.", evidence, step, (best,))]


def _report_design(tables: StudyTables) -> list[Finding]:
    """Report that nothing in the study guards a comparison of the values of one setting."""
    if not tables.parameters or len(tables.ranked) < 2:
        return []
    verdict = "No setting was compared at equal effort for each of its values."
    evidence = (
        "How this study chose its trials is not known. Samplers try the values that look good more often, so a value "
        "that was unlucky at first may never have come to its own best. What matters is a smooth model's average over "
        "the other settings; it does not say which value is best at its own best."
    )
    step = "To compare values, give each as many trials, chosen alike, and run the best of each on fresh seeds."
    return [Finding(verdict, evidence, step)]


def _report_open_trials(tables: StudyTables) -> list[Finding]:
    """Report trials that have not ended."""
    states = {name: int(tables.provenance.get(name, 0)) for name in ("running", "waiting")}
    parts = [f"{format_count(count, 'trial')} {name}" for name, count in states.items() if count]
    if not parts:
        return [Finding("No trial has ended.", "The study is empty.", tone="caution")] if tables.trials.empty else []
    total = sum(states.values())
    they, them, have = ("it", "it", "has") if total == 1 else ("they", "them", "have")
    evidence = f"The study has {join_items(parts)}. The report leaves {them} out, because {they} {have} no value yet."
    verdict = f"{format_count(total, 'trial')} {have} not ended."
    if tables.trials.empty:
        verdict = "No trial has ended."
    return [Finding(verdict, evidence, f"Make the report again when {they} {have} ended.")]


def _report_space(tables: StudyTables) -> list[Finding]:
    """Report parameters that never varied, columns that were left out, and ranges that are only those of trials."""
    fixed = [format_code(each.name) for each in tables.parameters if len(each.choices) == 1]
    left_out: dict[str, str] = tables.provenance.get("left out", {})
    parts = []
    if fixed:
        parts.append(f"{join_items(fixed)} had one value in all trials.")
    if left_out:
        parts.append(
            f"No parameter: {join_items([f'{format_code(name)}, because {why}' for name, why in left_out.items()])}."
        )
    if not tables.provenance.get("ranges known", True) and any(each.is_range for each in tables.parameters):
        parts.append("The ranges are those of the values that trials had: which were searched, the file does not say.")
    return [Finding("Some of the search space is not known.", " ".join(parts))] if parts else []


def _report_lacks(tables: StudyTables) -> list[Finding]:
    """Name in one line what the study has no tables of."""
    lacks = ["the data", "single predictions", "learning rates", "training losses"]
    if tables.curves.empty:
        lacks.insert(0, "values that trials reported while they ran")
    evidence = f"There is nothing of {join_items(lacks)}, so the report has no sections on them."
    return [Finding("The report shows what the study's tables allow.", evidence)]


def build_figures(tables: StudyTables) -> list[Figure]:
    facts: dict[str, Any] = {
        "read from": tables.provenance.get("source"),
        "objective": ", ".join(f"{name} ({way}imize)" for name, way in tables.metric_directions.items()),
        "trials that ended": tables.summary.study.trials,
        "different settings": tables.summary.study.settings,
        "beyond a limit": tables.count_trials("infeasible") or None,
        "running": tables.provenance.get("running") or None,
        "waiting": tables.provenance.get("waiting") or None,
    }
    rows = [{"fact": name, "value": format_number(value)} for name, value in facts.items() if value is not None]
    return [Table("facts", "Facts", "", pd.DataFrame(rows), is_half_width=True)]
