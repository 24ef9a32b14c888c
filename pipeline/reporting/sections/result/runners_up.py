"""The winner beside its runners-up: which of them may do as well, and which are better after all."""

from collections.abc import Sequence

from thalweg.reporting.analysis.confirmed import ConfirmedResult
from thalweg.reporting.finding import Finding, measure, sort_trials
from thalweg.reporting.sentences import describe_joint_intervals
from thalweg.reporting.tables import StudyTables
from thalweg.reporting.text import capitalise_first, format_interval, join_items
from thalweg.stats.intervals import compare_with_zero


def report_runners_up(tables: StudyTables, result: ConfirmedResult) -> list[Finding]:
    """Report the runners-up that are better than the winner, and those that are not clearly worse.

    A verdict follows the interval over seeds and groups, judged with all other runners-up (Holm 1979). Candidates that
    diverged on a seed are left out.
    """
    lost = result.diverged_seeds.keys()
    rivals = {
        comparison.name: comparison.difference.interval
        for comparison in tables.summary.runners_up
        if comparison.name in result.candidates and not {comparison.name, "winner"} & lost
    }
    if not rivals:
        return []
    differences = [
        f"{name} {format_interval(rival.mean, rival.low, rival.high, signed=True)}" for name, rival in rivals.items()
    ]
    scope = "seeds alone" if result.has_one_group else "seeds and groups of examples"
    evidence = (
        f"Difference from the winner on the {result.split} set, over {scope}: {'; '.join(differences)}."
        f"{describe_joint_intervals(len(tables.summary.runners_up))}"
    )
    sides = {name: compare_with_zero(rival, tables.sign) for name, rival in rivals.items()}
    better, close = ([name for name, side in sides.items() if side == wanted] for wanted in ("better", "same"))
    findings = []
    if better:
        verdict = f"{_name_subject(better)} clearly better than the winner on the {result.split} set."
        trials, measured = _list_trials(tables, better), measure({name: rivals[name] for name in better})
        findings.append(Finding(verdict, evidence, _advise_on_choice(tables), trials, "caution", **measured))
    if close:
        verdict = f"{_name_subject(close)} not clearly worse than the winner on fresh seeds."
        step = f"Choose between {join_items(['the winner', *close])} by cost or simplicity."
        trials, measured = _list_trials(tables, close), measure({name: rivals[name] for name in close})
        findings.append(Finding(verdict, "" if better else evidence, step, trials, **measured))
    if findings:
        return findings
    measured = measure(rivals)
    group = "its runners-up" if len(rivals) > 1 else "its runner-up"
    if result.split == "validation":
        return [Finding(f"The winner leads {group} on the examples that chose it.", evidence, **measured)]
    if result.has_one_group:
        return [Finding(f"The winner is better than {group} on this one group of examples.", evidence, **measured)]
    return [Finding(f"The winner is clearly better than {group} on fresh seeds.", evidence, tone="good", **measured)]


def _name_subject(names: Sequence[str]) -> str:
    return f"{capitalise_first(join_items(names))} {'is' if len(names) == 1 else 'are'}"


def _advise_on_choice(tables: StudyTables) -> str:
    """Advise on a runner-up that is better than the winner: the validation set, or a limit, chose the other."""
    limits = " It also prefers candidates that keep `study.constraints`." if tables.setting("study.constraints") else ""
    return (
        "Check whether the validation set, which chose the winner, is too small to choose by or unlike the other "
        f"examples.{limits}"
    )


def _list_trials(tables: StudyTables, names: Sequence[str]) -> tuple[int, ...]:
    return sort_trials(tables.runs.loc[tables.runs["candidate"].isin(names), "trial"].dropna().unique())
