"""The comparison of the winner with the baseline, the runners-up and simple answers."""

from thalweg.reporting.advice.next_steps import advise_winner_values
from thalweg.reporting.analysis.confirmed import ConfirmedResult, build_confirmed_result
from thalweg.reporting.analysis.isolation import list_scientific
from thalweg.reporting.analysis.seed_noise import difference_by_seed
from thalweg.reporting.finding import Finding, measure
from thalweg.reporting.page.figures import EmptyFigure, Figure
from thalweg.reporting.sections.result import candidates, doubts, references, runners_up, selection_bias, sets, shortage
from thalweg.reporting.tables import StudyTables
from thalweg.reporting.text import format_code, format_count, format_interval, join_items
from thalweg.stats.intervals import compare_with_zero

TITLE = "Result"
ORDER = 10
HOLD_OUT_ADVICE = (
    "Hold some examples out (`data.split.test`), and search again: only examples that chose nothing show whether the "
    "winner is better than the baseline."
)


def build_findings(tables: StudyTables) -> list[Finding]:
    result = build_confirmed_result(tables)
    if result is None:
        return [Finding("Nothing is confirmed yet.", "No candidate was retrained on fresh seeds.", tone="caution")]
    diverged = doubts.report_diverged_seeds(tables, result)
    if missing := doubts.report_missing_winner(tables, result):
        return [*missing, *diverged]
    diverged_seeds, constraints = result.diverged_seeds, doubts.report_broken_constraints(tables, result)
    if "winner" in diverged_seeds:
        return [*diverged, *constraints, *_report_refit(tables)]
    simple = references.report_references(tables, result)
    # a winner that learned nothing comes before who learned most, and so does a baseline that did
    unbeaten, beaten = ([finding for finding in simple if (finding.tone == "caution") is bad] for bad in (True, False))
    headline = [*unbeaten, *diverged]
    if "baseline" not in diverged_seeds:
        report = _report_baseline_winner if tables.is_winner_baseline else _report_comparison
        weak = references.report_weak_baseline(tables, result, any(finding.tone == "good" for finding in beaten))
        failed = doubts.report_failed_seeds(tables, result)
        headline = [*failed, *unbeaten, *weak, report(tables, result), *diverged]
    return [
        *headline,
        *constraints,
        *beaten,
        *sets.report_disagreement(tables, result),
        *selection_bias.report_selection_bias(tables, result),
        *selection_bias.report_optimism(tables, result),
        *runners_up.report_runners_up(tables, result),
        *_report_refit(tables),
    ]


def _report_baseline_winner(tables: StudyTables, result: ConfirmedResult) -> Finding:
    baseline = format_interval(result.baseline.mean, result.baseline.low, result.baseline.high)
    evidence = (
        f"{_describe_choice(tables, result)} It has the values of params.yaml, as the baseline has. "
        f"On the {result.split} set, {tables.objective_label} is {baseline}. "
        f"{doubts.describe_unseen_failures(tables, result)}"
    ).strip()
    verdict = "The search found nothing better than the baseline."
    measured = measure({"baseline": result.baseline})
    return Finding(verdict, evidence, "Keep the values in params.yaml.", _list_winner(tables), "caution", **measured)


def _list_winner(tables: StudyTables) -> tuple[int, ...]:
    return () if tables.winner is None else (tables.winner,)


def _report_refit(tables: StudyTables) -> list[Finding]:
    if tables.setting("confirm.refit") != "all":
        return []
    refit, confirmed = (tables.setting(f"confirm.{name}") for name in ("refit_epochs", "epochs"))
    longer = "" if refit in (None, confirmed) else f", for {format_count(int(refit), 'epoch')}"
    evidence = (
        f"`confirm.refit: all` trained it once more on every labelled example{longer}, including the test set. The "
        "figures here are of networks that had not seen the test set."
    )
    step = "To judge `thalweg predict`, use images that are in none of the sets."
    return [Finding("The final model was also trained on the test set.", evidence, step)]


def _report_comparison(tables: StudyTables, result: ConfirmedResult) -> Finding:
    difference, decisive, trials = result.difference, result.decisive, _list_winner(tables)
    evidence = _describe_comparison(tables, result)
    means = {"winner": result.winner.mean, "baseline": result.baseline.mean, "seeds": difference.n}
    measured = measure({"difference": decisive}, **means)
    still_used = "`thalweg predict` still uses the winner; docs/results.md says how to use the baseline."
    match compare_with_zero(decisive, tables.sign):
        case "better":
            if result.split == "validation":
                verdict = "The winner leads the baseline on the examples that chose it."
                return Finding(verdict, evidence, HOLD_OUT_ADVICE, trials, "caution", **measured)
            if result.has_one_group:
                verdict = "The winner is better than the baseline on this one group of examples."
                copy = advise_winner_values("Check whether the winner is better on other groups, too.")
                return Finding(verdict, evidence, copy, trials, "caution", **measured)
            verdict = "The winner is clearly better than the baseline."
            return Finding(verdict, evidence, advise_winner_values(), trials, "good", **measured)
        case "worse":
            verdict = "The baseline is clearly better than the winner on fresh seeds."
            if result.has_one_group:
                verdict = "The baseline is better than the winner on this one group of examples."
            step = f"Keep the baseline. Check whether the validation set is too small to choose by. {still_used}"
            return Finding(verdict, evidence, step, trials, "caution", **measured)
    seeds_needed = shortage.describe_seeds_needed(tables, result)
    step = "Keep the baseline."
    if tables.sign * decisive.mean < 0 and shortage.MORE_GROUPS_ADVICE not in seeds_needed:
        step = "Keep the baseline, or confirm on more seeds (`confirm.seeds`) if so small a gain matters."
    step = " ".join(filter(None, [step, seeds_needed, still_used]))
    verdict = "No clear difference between the winner and the baseline."
    if tables.sign * difference.mean > 0:
        verdict = "The baseline is ahead of the winner on fresh seeds, within noise."
    return Finding(verdict, evidence, step, trials, "caution", **measured)


def _describe_comparison(tables: StudyTables, result: ConfirmedResult) -> str:
    winner, baseline, difference, decisive = result.winner, result.baseline, result.difference, result.decisive
    by_seed = difference_by_seed(tables.runs, f"{result.split}_{tables.objective}", "winner")
    better = int((by_seed * tables.sign < 0).sum())
    places = result.decimals
    parts = [
        _describe_choice(tables, result),
        f"On the {result.split} set, {tables.objective_label} is "
        f"{format_interval(winner.mean, winner.low, winner.high, min_places=places)} for the winner and "
        f"{format_interval(baseline.mean, baseline.low, baseline.high, min_places=places)} for the baseline.",
        f"The difference is "
        f"{format_interval(difference.mean, difference.low, difference.high, signed=True, min_places=places)}, from "
        f"{format_count(difference.n, 'fresh seed')} each; the winner is better on {better} of {len(by_seed):,}.",
    ]
    if result.is_corrected:
        corrected = format_interval(decisive.mean, decisive.low, decisive.high, signed=True, min_places=places)
        effect = "Corrected for that"
        if tables.sign * (decisive.mean - difference.mean) <= 0:
            effect = "That did not flatter it, but makes its value less certain. With this"
        result_text = f"{effect}, the difference is {corrected}; the verdict follows this value."
        if corrected in parts[-1]:
            result_text = "Corrected for that, the difference is the same."
        parts.append(f"The winner was chosen among {result.contender_count} on these seeds. {result_text}")
    if result.split == "validation":
        parts.append(
            "There is no test set: the winner was chosen on these same examples, so its value is optimistic. On other "
            "examples its lead may vanish."
        )
    if result.has_one_group:
        parts.append(
            f"The {result.split} set is a single group: the interval is for other seeds, not for other examples."
        )
    return " ".join(filter(None, [*parts, doubts.describe_unseen_failures(tables, result)]))


def _describe_choice(tables: StudyTables, result: ConfirmedResult) -> str:
    """Describe how the winner was chosen: from how many trials, by which metric, on how many seeds."""
    count = result.contender_count
    seeds = format_count(int((tables.runs["candidate"] == "winner").sum()), "fresh seed")
    if not tables.has_same_epochs:
        trial_epochs = "its own number" if tables.is_epochs_searched else tables.setting("training.epochs")
        seeds += f", for {tables.setting('confirm.epochs')} epochs instead of {trial_epochs}"
    measure = f"{tables.objective_label} on the validation set"
    total = format_count(len(tables.ranked), "complete trial")
    if count < 2:
        return f"Trial {tables.winner} has the best {measure} among {total}. It was retrained on {seeds}."
    asked = [format_code(parameter.name) for parameter in list_scientific(tables)]
    chosen = f"The {count} best of {total} by {measure}"
    if asked and tables.setting("confirm.questions"):
        chosen = (
            f"Of {total}, the best by {measure}, and the best of each value of {join_items(asked)}, {count} in all,"
        )
    return (
        f"{chosen} were retrained on {seeds}. "
        f"Trial {tables.winner} is the best of them by the same measure on these seeds."
    )


def build_figures(tables: StudyTables) -> list[Figure]:
    """Return the figures below the comparison; the candidates themselves are drawn at the top of the report."""
    result = build_confirmed_result(tables)
    if result is None or not candidates.has_runs(tables):
        return [EmptyFigure("candidates", "Candidates", "There are no confirmed runs to draw.")]
    differences = candidates.build_differences_chart(tables, result)
    return [*([differences] if differences else []), candidates.build_metrics_table(tables, result)]
