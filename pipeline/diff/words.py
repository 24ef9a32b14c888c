"""What a comparison found, in words."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from thalweg.artifacts.judged import JudgedWinner
from thalweg.diff.study import Study
from thalweg.diff.winners import Difference, Verdict
from thalweg.reporting.text import count_decimals, format_count, format_interval, join_items
from thalweg.system.paths import JUDGED

FEW_SEEDS = 4
"""Fewer show large differences alone."""


def describe_verdict(a: JudgedWinner, b: JudgedWinner, verdict: Verdict, difference: Difference) -> str:
    """Describe the verdict with the interval of the difference."""
    if a.values == b.values:
        return f"A and B have the same winner: its {a.objective} is the same on every seed."
    first = {
        "better": "The winner of B is better",
        "worse": "The winner of B is worse",
    }.get(verdict, "There is no clear difference between the winners")
    return f"{first}: {a.objective} B − A is {format_difference(difference)} on the {a.part} set."


def format_difference(difference: Difference) -> str:
    """Format B - A with its interval: `+0.021 (−0.004 to +0.046)`."""
    return format_interval(difference.mean, difference.low, difference.high, signed=True)


def describe_scope(a: JudgedWinner, difference: Difference) -> str:
    """Say what the interval is from, and what for."""
    seeds = (
        f"{format_count(difference.seeds_a, 'seed')} that both share"
        if difference.paired
        else f"{format_count(difference.seeds_a, 'seed')} of A and {difference.seeds_b:,} of B"
    )
    has_groups = difference.groups < difference.examples
    examples = f"{format_count(difference.groups, 'group')} of " if has_groups else ""
    examples += f"the same {format_count(difference.examples, 'example')}"
    direction, unit = "Lower" if a.sign > 0 else "Higher", "groups" if has_groups else "examples"
    text = f"{direction} {a.objective} is better. The 95 % interval is for other seeds and other {unit}, from {seeds} "
    text += f"and {examples}."
    shown = format_difference(difference)
    plain = format_difference(replace(difference, mean=difference.uncorrected))
    if plain != shown:
        text += f" Without the luck of choosing the winners; with it, B − A is {plain.partition(' (')[0]}."
    return text


def list_notes(a: Study, b: Study, difference: Difference | None) -> Iterator[str]:
    """List what could not be compared and how to get it, and what makes the comparison less sure."""
    for study in (a, b):
        missing = [path for path in study.lacks if path != JUDGED or study.summary is None]
        if missing:
            advice = study.place.advice
            yield f"{study.name} lacks {join_items([path.as_posix() for path in missing], 3)}. {advice}."
    if difference is None or a.judged is None or b.judged is None:
        return
    if not difference.paired:
        yield "The studies share no two seeds, because their `seed` differs: pairs would show smaller differences."
    elif max(len(a.judged.seeds), len(b.judged.seeds)) > difference.seeds_a:
        counts = f"A has {format_count(len(a.judged.seeds), 'seed')} and B {len(b.judged.seeds):,}"
        yield f"{counts}; only the {difference.seeds_a:,} that both have count."
    if min(difference.seeds_a, difference.seeds_b) < FEW_SEEDS:
        yield "So few seeds show large differences alone: set `confirm.seeds` to 8 or more."
    if not difference.corrected:
        yield "The luck of choosing the winners is not removed: some other candidate has no value, so it is not known."
    if a.judged.part == "validation":
        yield "Without a test set, the winners were chosen on the examples that judge them."


def list_unknown_winners(studies: Sequence[Study]) -> list[str]:
    """Say why winners are not known, each reason once; none: all are known."""
    unknown: dict[str, list[str]] = {}
    for study in studies:
        if study.judged is None:
            unknown.setdefault(_explain_unknown_winner(study), []).append(study.name)
    return [reason.format(names=" and ".join(names)) for reason, names in unknown.items()]


def _explain_unknown_winner(study: Study) -> str:
    if study.summary is None:
        return "There is no confirmed winner of {names} here."
    if study.summary.confirm is None:
        return "There is no confirmed winner of {names}."
    return (
        "An earlier version of Thalweg confirmed {names}, and kept no values by seed and example. `thalweg run` there "
        "makes them; if another version of Thalweg made the study, it trains again."
    )


def format_value(mean: float, low: float, high: float, difference: Difference | None) -> str:
    """Format a winner's value, with the decimals that its difference needs."""
    places = count_decimals((difference.high - difference.low) / 2) if difference else 0
    return format_interval(mean, low, high, min_places=places)
