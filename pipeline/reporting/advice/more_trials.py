"""How many trials: whether more of them would find better ones, or settle what the study asks."""

from collections.abc import Sequence

from thalweg.reporting.advice import more_seeds, search_space
from thalweg.reporting.analysis.isolation import scientific
from thalweg.reporting.analysis.pareto_growth import gaining
from thalweg.reporting.analysis.progress import gain
from thalweg.reporting.analysis.scientific_verdict import verdict
from thalweg.reporting.tables import StudyTables
from thalweg.reporting.text import code, listed

OTHER = "change what is not searched yet: the model, the data, the task."


def step(tables: StudyTables) -> str:
    """Whether to run more trials, and in which space; '' where that cannot be told."""
    known = gain(tables)
    if gaining(tables) and search_space.widens(tables):
        return search_space.step(tables)
    if gaining(tables):
        stop = tables.summary.study.stop
        how = f"loosen `study.stop.{stop['reason']}` and start again" if stop else ""
        return f"Go on: {how or f'`thalweg study --trials {2 * len(tables.trials)}`'}."
    if known is None or known.kind == "unknown":
        return ""
    if known.kind == "drowned":
        return more_seeds.of_trials(tables)
    if any((found := verdict(tables, one)) and found.few for one in scientific(tables)):
        return f"For better values, {OTHER}"
    return f"More trials alike are unlikely to help; {OTHER}"


def where(tables: StudyTables, grows: bool) -> str:
    """`step` for one of several measures of a search: nothing where another one grows, whose section says so."""
    return step(tables) if grows or not gaining(tables) else ""


def with_values(name: str, values: Sequence[str]) -> str:
    """To try values that were tried too seldom."""
    tried = f"Run more trials with {listed(values)} for {code(name)}"
    return f"{tried}: raise `study.trials`; what `study.enqueue` names comes first."
