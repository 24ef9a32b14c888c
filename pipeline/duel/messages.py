"""What a comparison says: after each pair, at its end, and in its history."""

import math
from collections.abc import Sequence

from thalweg.duel.contest import Pair, Question
from thalweg.duel.ledger import Outcome
from thalweg.duel.runs import find_value
from thalweg.duel.seeds import format_seeds
from thalweg.duel.side import Side
from thalweg.stats.sequential import FIRST_LOOK, PairedResult
from thalweg.system.counts import format_count

WORDS = {"better": "B is better", "worse": "B is worse", "same": "no difference", "open": "open"}


def judge_result(minimize: bool, verdict: str) -> str:
    """Return what a verdict on B - A means: `better`, `worse`, `same` or `open`."""
    if verdict in ("same", "open"):
        return verdict
    return "better" if (verdict == "lower") == minimize else "worse"


def describe_plan(a: Side, b: Side, question: Question) -> str:
    """Describe what is compared, and when it ends."""
    direction = "lower" if question.minimize else "higher"
    ends = f"at most {format_count(len(question.seeds), 'pair')}"
    if question.smallest is not None:
        ends += f"; differences below {question.smallest:g} do not count"
    return f"A: {a.text}\nB: {b.text}\n{question.metric}, {direction} is better; {ends}"


def describe_pair(question: Question, pair: Pair, result: PairedResult) -> str:
    """Describe a pair, and the difference so far."""
    values = [find_value(run, question.metric) for run in (pair.a, pair.b)]
    shown = ["failed" if value is None else f"{value:.6g}" for value in values]
    text = f"seed {pair.a.seed}: A {shown[0]}, B {shown[1]}"
    for name, run in (("A", pair.a), ("B", pair.b)):
        text += f" ({name}: {run.failed})" if run.failed else ""
    if result.pairs < FIRST_LOOK:
        return text
    return f"{text}; B - A {describe_difference(result.mean, result.low, result.high)} after {result.pairs} pairs"


def describe_difference(mean: float, low: float | None, high: float | None, sign: str = "+") -> str:
    """Format B - A with its interval; with the `sign` '', a value with its interval."""
    if low is None or high is None or not math.isfinite(low + high):
        return _format_number(mean, abs(mean), sign)
    width = (high - low) / 2 or abs(mean)
    shown = (_format_number(value, width, sign) for value in (mean, low, high))
    return "{} ({} to {})".format(*shown)


def _format_number(value: float, width: float, sign: str) -> str:
    """Format a number with two digits of its interval's half width."""
    places = max(0, 1 - math.floor(math.log10(width))) if width > 0 else 0
    return f"{value:{sign}.{min(places, 12)}f}" if width < 1e6 else f"{value:{sign}.3g}"


def describe_outcome(outcome: Outcome, needed: int | None = None) -> str:
    """Describe how a comparison ended. `needed`: the pairs that would settle it."""
    verdict = judge_result(outcome.minimize, outcome.verdict)
    difference = describe_difference(outcome.mean, outcome.low, outcome.high)
    pairs = f"{outcome.pairs} of {format_count(outcome.planned, 'pair')}"
    if verdict == "same":
        return f"No difference of {outcome.smallest:g} or more: {outcome.metric} B - A is {difference}, after {pairs}."
    if verdict in ("better", "worse"):
        return f"B is {verdict}: {outcome.metric} B - A is {difference}, after {pairs}."
    text = f"Open: {outcome.metric} B - A is {difference}, after {pairs}."
    if needed is None:
        return f"{text} If that is the true difference, more than 1,000 pairs would be needed to settle it."
    more = format_seeds([*outcome.seeds, *_continue_seeds(outcome.seeds, needed - outcome.planned)])
    return f"{text} If that is the true difference, about {needed} pairs would settle it: --seeds {more}"


def _continue_seeds(seeds: Sequence[int], count: int) -> list[int]:
    first = max(seeds) + 1
    return list(range(first, first + count))


def find_hints(question: Question, pairs: Sequence[Pair]) -> list[str]:
    """Find signs that the comparison is not what the user wants."""
    hints = []
    for name, runs in (("A", [pair.a for pair in pairs]), ("B", [pair.b for pair in pairs])):
        values = [find_value(run, question.metric) for run in runs]
        if failed := values.count(None):
            hints.append(f"{name} failed in {failed} of {len(values)} runs; each counts as worse than the worst value")
        if len(values) > 1 and values[0] is not None and len(set(values)) == 1:
            hints.append(f"{name} gives {question.metric} {values[0]:.6g} with every seed: does it use the seed?")
    return hints


def list_history(outcomes: Sequence[Outcome]) -> list[dict[str, str]]:
    """List the comparisons as rows of a table, the last one first."""
    return [
        {
            "date": outcome.date,
            "A": outcome.a_text,
            "B": outcome.b_text,
            "metric": f"{outcome.metric} ({'lower' if outcome.minimize else 'higher'} is better)",
            "verdict": WORDS[judge_result(outcome.minimize, outcome.verdict)],
            "B - A": describe_difference(outcome.mean, outcome.low, outcome.high),
            "pairs": f"{outcome.pairs} of {outcome.planned}",
            "code": outcome.tree[:7],
        }
        for outcome in reversed(outcomes)
    ]
