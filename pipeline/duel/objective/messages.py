"""What `thalweg confirm` says: what it will run, and how the winner compares with the default."""

import pandas as pd

from thalweg.duel.messages import describe_difference
from thalweg.duel.objective.study import Candidate
from thalweg.duel.objective.verdict import Verdict
from thalweg.stats.interval import Interval
from thalweg.system.counts import format_count

NO_DEFAULT = (
    "no default: the study has no enqueued trial, so the winner stands beside its runners-up alone. "
    "--default '{\"name\": value}' gives one"
)


def describe_plan(study: str, sign: int, candidates: int, seeds: int, missing: int) -> str:
    """Describe how much there is to run, and which values are better; sign 1: lower ones."""
    done = candidates * seeds - missing
    known = f", {done} of them done already" if done else ""
    count = f"{format_count(candidates, 'candidate')} on {format_count(seeds, 'fresh seed')}"
    better = "lower" if sign > 0 else "higher"
    return f"{study}: {count}, {format_count(candidates * seeds, 'run')}{known}; {better} is better"


def describe_verdict(verdict: Verdict, default: Candidate | None) -> str:
    """Describe the candidates in a table, and the verdict in a sentence."""
    rows = [_describe_row(verdict, name, each) for name, each in list_named(verdict, default)]
    return f"{pd.DataFrame(rows).to_string(index=False)}\n{_state_verdict(verdict, default)}"


def list_named(verdict: Verdict, default: Candidate | None) -> list[tuple[str, Candidate]]:
    """List the candidates with their names, the best first, the default last."""
    names = ["winner", *(f"runner-up {rank}" for rank in range(1, len(verdict.ranked)))]
    named = list(zip(names, verdict.ranked, strict=True))
    return [*named, *([("default", default)] if default else [])]


def _describe_row(verdict: Verdict, name: str, candidate: Candidate) -> dict[str, str]:
    level, beside = verdict.levels.get(candidate.key), verdict.beside.get(candidate.key)
    is_runner_up = name.startswith("runner-up")
    return {
        "candidate": name,
        "trial": "" if candidate.trial is None else str(candidate.trial),
        "value": _describe_interval(level, "") if level else "",
        "beside the winner": _describe_interval(beside) if beside and is_runner_up else "",
        "failed": str(verdict.failures[candidate.key] or ""),
    }


def _describe_interval(interval: Interval, sign: str = "+") -> str:
    return describe_difference(interval.mean, interval.low, interval.high, sign)


def _state_verdict(verdict: Verdict, default: Candidate | None) -> str:
    """State how the winner compares with the default."""
    winner = verdict.ranked[0].title
    if verdict.kind == "all failed":
        return "No candidate has a value on any fresh seed."
    if verdict.kind == "same setting":
        return f"The winner is the default: no other of the best settings is better than {winner} on fresh seeds."
    if default is None:
        return f"{winner.capitalize()} is the best on fresh seeds. Without a default there is nothing to beat."
    if verdict.difference is None:
        return "Fewer than two seeds have a value of both the winner and the default: nothing can be concluded."
    gap = f"winner - default is {_describe_interval(verdict.difference)}, over {verdict.difference.n} fresh seeds"
    if verdict.kind == "better":
        return f"The winner ({winner}) is clearly better than the default: {gap}."
    if verdict.kind == "worse":
        return f"The default is clearly better than the winner ({winner}): {gap}."
    text = f"No clear difference between the winner ({winner}) and the default: {gap}."
    if verdict.seeds_needed is not None and verdict.seeds_needed > verdict.difference.n:
        return f"{text} If that is the true one, {verdict.seeds_needed} seeds would show it with a chance of 80 %."
    return text
