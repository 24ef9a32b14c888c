"""Advice on what the study asks about: narrow the space, more trials for its values, or more fresh seeds."""

from thalweg.reporting.advice import more_seeds, more_trials, search_space
from thalweg.reporting.advice.settings import format_settings
from thalweg.reporting.analysis.questions import MAX_SEEDS, Answer, LevelAnswer
from thalweg.reporting.analysis.scientific_verdict import ScientificVerdict
from thalweg.reporting.finding import Step
from thalweg.reporting.parameter import SearchedParameter
from thalweg.reporting.tables import StudyTables
from thalweg.reporting.text import format_number, join_items
from thalweg.stats.intervals import compare_with_zero, t_interval
from thalweg.stats.level_measures import MIN_LEVEL_TRIALS

RETRAINS = "`confirm` then retrains the best trial of each value"
ASK = {"confirm.questions": True}
QUESTIONS_ADVICE = Step(f"Set {format_settings(ASK)}: {RETRAINS}.", ASK)
FEWEST_SEEDS = {"confirm.seeds": 8}
"""Where no question can be answered, for one seed has no noise."""


def advise_on_question(tables: StudyTables, parameter: SearchedParameter, verdict: ScientificVerdict) -> Step:
    """Return the step that answers a question, or that uses its answer; '' if none helps."""
    if verdict.worse_values or verdict.equal_values:
        return search_space.advise_search(tables)
    if verdict.answer is None and not verdict.failed_trials:
        if not tables.setting("confirm.questions"):
            return QUESTIONS_ADVICE
        if int(tables.setting("confirm.seeds", 0)) < 2:
            return Step(f"Set {format_settings(FEWEST_SEEDS)}: {RETRAINS}.", FEWEST_SEEDS)
    if verdict.rare_values:
        if tables.is_space_exhausted:
            return more_seeds.advise_study_seeds(tables)
        return more_trials.advise_level_trials(tables, parameter, MIN_LEVEL_TRIALS)
    if verdict.answer is None:
        return _advise_missing_values(tables, parameter, verdict)
    ahead = [other for other in verdict.answer.others if other.verdict == "ahead"]
    if ahead:
        return _advise_on_lead(tables, verdict.answer, ahead[0])
    undecided = [other for other in verdict.answer.others if other.verdict in ("open", "behind")]
    if not undecided:
        return _advise_missing_values(tables, parameter, verdict)
    if any(other.verdict == "behind" or other.search_gap > other.half_width for other in undecided):
        most = max(verdict.answer.trial_count, *(other.trial_count for other in verdict.answer.others))
        return more_trials.advise_level_trials(tables, parameter, 2 * most)
    return _advise_confirm_seeds(tables, verdict.answer, undecided)


def _advise_on_lead(tables: StudyTables, answer: Answer, ahead: LevelAnswer) -> Step:
    """Advise on a leader that another level surely beats on the test set: more seeds may choose that level, too."""
    column, interval, seeds = f"validation_{tables.objective}", None, 2 * answer.seeds
    if column in tables.runs:
        runs = tables.runs[tables.runs["trial"].isin([answer.trial, ahead.trial])]
        by_seed = runs.pivot_table(values=column, index="seed", columns="trial", dropna=False)
        interval = t_interval(by_seed[ahead.trial] - by_seed[answer.trial])
    if seeds > MAX_SEEDS or (interval is not None and compare_with_zero(interval, tables.sign) == "worse"):
        return Step(
            f"Choose {ahead.label}: the validation set chose both trials, so it may flatter them; the test set did not."
        )
    patch = {"confirm.seeds": seeds}
    return Step(
        f"Set {format_settings(patch)}: {answer.seeds} do not surely put {answer.leader} first on the validation set, "
        f"so more may choose {ahead.label} there, too.",
        patch,
    )


def _advise_missing_values(tables: StudyTables, parameter: SearchedParameter, verdict: ScientificVerdict) -> Step:
    """Advise what brings the values into the answer that are not in it; '' if nothing is known to."""
    if verdict.failed_trials:
        trials = [f"trial {trial}" for trial in verdict.failed_trials.values()]
        return search_space.advise_lost_seeds(trials[0] if len(trials) == 1 else f"one of {join_items(trials)}")
    if verdict.lost_groups:
        most = max(len(group.costs) for group in verdict.lost_groups)
        return more_trials.advise_level_trials(tables, parameter, 2 * most)
    return Step("") if tables.setting("confirm.questions") else QUESTIONS_ADVICE


def _advise_confirm_seeds(tables: StudyTables, answer: Answer, undecided: list[LevelAnswer]) -> Step:
    """Advise the seeds that would show that equal values are alike, or what else it takes."""
    if answer.smallest_effect is None:
        return Step("Raise `confirm.seeds`, so that smaller differences show.")
    needed = [other.seeds_needed for other in undecided if other.seeds_needed is not None]
    if len(needed) == len(undecided):
        # where so many seeds did not show it already, the values may differ a little
        seeds = max(*needed, 2 * answer.seeds) if max(needed) <= answer.seeds else max(needed)
        patch = {"confirm.seeds": seeds}
        chance = "if these trials are equally good, so many show it with a chance of 80 %"
        return Step(f"Set {format_settings(patch)}: {chance}.", patch)
    margin = max(other.groups_margin for other in undecided)
    groups = f"the groups of the {tables.split} set leave ±{format_number(margin, 2)} uncertain"
    effect = "Set `study.smallest_effect` to the difference that matters to you"
    if margin > answer.smallest_effect / 2:
        return Step(
            f"More seeds would hardly show that the values are alike: {groups}. {effect}, or test on more groups."
        )
    return Step(f"More than {MAX_SEEDS} seeds would be needed to show that the values are alike. {effect}.")
