"""Advice on what the study asks about: narrow the space, more trials for its values, or more fresh seeds."""

import math

from thalweg.config.levels import MIN_LEVEL_TRIALS
from thalweg.reporting.advice import more_seeds, more_trials, search_space
from thalweg.reporting.analysis.questions import Answer, LevelAnswer
from thalweg.reporting.analysis.scientific_verdict import ScientificVerdict
from thalweg.reporting.parameter import SearchedParameter
from thalweg.reporting.tables import StudyTables

MAX_SEEDS = 100
"""The largest number of seeds worth advising."""


def advise_on_question(tables: StudyTables, parameter: SearchedParameter, verdict: ScientificVerdict) -> str:
    """Return the step that answers a question, or that uses its answer; '' if none helps."""
    if verdict.worse_values or verdict.equal_values:
        return search_space.advise_search(tables)
    if verdict.answer is None:
        if not tables.setting("confirm.questions"):
            return "Set `confirm.questions: true`: `confirm` then retrains the best trial of each value."
        if int(tables.setting("confirm.seeds", 0)) < 2:
            return "Set `confirm.seeds` to 8: `confirm` then retrains the best trial of each value."
    if verdict.rare_values:
        if tables.is_space_exhausted:
            return more_seeds.advise_study_seeds(tables)
        return more_trials.advise_level_trials(tables, parameter, MIN_LEVEL_TRIALS)
    if verdict.answer is None:
        return ""
    undecided = [other for other in verdict.answer.others if other.verdict in ("open", "behind")]
    if any(other.verdict == "behind" or other.search_gap > other.half_width for other in undecided):
        most = max(verdict.answer.trial_count, *(other.trial_count for other in verdict.answer.others))
        return more_trials.advise_level_trials(tables, parameter, 2 * most)
    return _advise_confirm_seeds(verdict.answer, undecided)


def _advise_confirm_seeds(answer: Answer, undecided: list[LevelAnswer]) -> str:
    """Advise the seeds that would show that equal values are alike: intervals shrink with the root of their number."""
    if answer.smallest_effect is None:
        return "Raise `confirm.seeds`, so that smaller differences show."
    widest = max(other.half_width for other in undecided)
    needed = math.ceil(answer.seeds * (widest / answer.smallest_effect) ** 2) + 1
    if needed > MAX_SEEDS:
        return (
            f"More than {MAX_SEEDS} seeds would be needed to show that the values are alike. Set "
            "`study.smallest_effect` to the difference that matters to you, or test on more groups."
        )
    return f"Set `confirm.seeds: {needed}`: if the values are equally good, about so many seeds would show it."
