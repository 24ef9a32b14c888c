"""One verdict on a scientific parameter from all that is known of it.

Which of its values are better at their own best, which lost before they came to an end, and whether it is among what
sets the best trials apart.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pipeline.reporting.importance.isolation import LEVEL, RARE, Apart, Side, luck_of_loss
from pipeline.reporting.importance.ranking import ranking
from pipeline.reporting.tables import Tables
from pipeline.reporting.words import code, listed, many, number
from pipeline.samples import Noise


@dataclass(frozen=True)
class Verdict:
    """A verdict, the step that follows, what its evidence must hold besides, and its tone."""

    text: str
    step: str
    more: str = ""
    tone: Literal["good", "caution", "plain"] = "plain"


def verdict(
    tables: Tables,
    parameter: Mapping[str, Any],
    known: Sequence[Side],
    result: tuple[Side, list[Apart]] | None,
    noise: Noise | None,
) -> Verdict:
    """What is said of a parameter whose values, `known`, compare as `result` (None: only one came to an end)."""
    name, (leader, others) = code(parameter["name"]), result or (None, [])
    gone = [side for side in known if side.lost]
    out = [side.label for side in gone if luck_of_loss(known, side) <= LEVEL / len(known)]
    behind = [one.side.label for one in others if one.verdict == "worse"]
    fell = _fell(gone)
    if leader is not None and behind:
        rest = len(behind) < len(others) or len(out) < len(gone)
        step = f"Leave {listed([*behind, *out])} out of what is searched." if rest else f"Fix it at {leader.label}."
        text = f"{name} matters: {leader.label} is better than {listed(behind)}, each at its own best{fell}."
        return Verdict(text, step, tone="good")
    if out:
        rest_of = "" if leader is None else "; of the others it cannot be told"
        return Verdict(f"{name} matters{fell}{rest_of}.", f"Leave {listed(out)} out of what is searched.", tone="good")
    if leader is None:
        step = f"Run trials with its other values, by `study.enqueue` or more `study.trials`, or leave {name} out."
        return Verdict(f"Whether {name} matters cannot be told yet{fell}.", step, tone="caution")
    return _unsettled(tables, parameter, known, leader, others, noise, fell)


def _unsettled(
    tables: Tables,
    parameter: Mapping[str, Any],
    known: Sequence[Side],
    leader: Side,
    others: Sequence[Apart],
    noise: Noise | None,
    fell: str,
) -> Verdict:
    """No value is surely worse: because they are alike, or because it cannot be told."""
    name, judged = code(parameter["name"]), [leader, *(one.side for one in others)]
    still = [one.side for one in others if one.verdict == "open"]
    often = [side for side in judged if not side.rare]
    sought = ([leader] if leader.rare else still) or [side for side in judged if side.rare]
    few = listed([one.label for one in sorted(sought, key=lambda one: len(one.tries))])
    step = f"Run more trials with {few}: name them in `study.enqueue`, or raise `study.trials`." if sought else ""
    if not often:
        step = f"Raise `study.trials`: no value has {RARE} trials yet."
    found = ranking(tables)
    if found is not None and found.beyond(parameter["name"]):
        more = "That it matters is told by what sets the best trials apart, not by the best of each."
        return Verdict(f"Which {name} is best cannot be told yet{fell}.", step, more)
    if still or len(often) < 2 or noise is None:
        return Verdict(f"Whether {name} matters cannot be told yet{fell}.", step, tone="caution")
    best = [float(side.tries[0]) for side in often]
    reach, worth = max(best) - min(best) + noise.least, _worth(tables)
    of_worth = f"from the best trial to the middle one it is {number(worth, 2)}."
    if reach > worth:
        trials = many(sum(len(side.tries) for side in known), "trial")
        return Verdict(
            f"Whether {name} matters cannot be told from {trials}{fell}.",
            "More `study.seeds` a trial would show smaller differences.",
            f"Differences of up to {number(reach, 2)} may hide in the noise; {of_worth}",
        )
    between = "" if len(often) == len(known) else f" between {listed([side.label for side in often])}"
    step = f"Fix it at any of {'these' if between else 'them'}, and spend the trials on what matters."
    if rare := [side.label for side in judged if side.rare]:
        step += f" Of {listed(rare)}, with fewer than {RARE} trials, little is known."
    text = f"{name} makes no difference worth having{between}, each value at its own best{fell}."
    return Verdict(text, step, f"More than {number(reach, 2)} is ruled out; {of_worth}")


def _fell(gone: Sequence[Side]) -> str:
    """Which values never came to an end, as the end of a verdict."""
    told = []
    for side in gone:
        stopped = bool((side.trials["state"] == "pruned").all())
        how = "lost at the rungs" if stopped else "came to no end"
        told.append(f"{side.label} {how} ({len(side.tries)} of {len(side.tries)})")
    return f": {listed(told)}" if told else ""


def _worth(tables: Tables) -> float:
    """What a difference is worth: how far the middle one of the complete trials is behind the best."""
    values = tables.ranked["value"] * tables.sign
    return float(values.median() - values.min())
