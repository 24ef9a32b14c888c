"""A comparison as lines for a terminal."""

from collections.abc import Iterator, Sequence

from thalweg.config.write import format_inline
from thalweg.diff.answer import DiffAnswer
from thalweg.diff.changes import Change
from thalweg.diff.parameters import Effect, ParameterPair
from thalweg.diff.words import format_value
from thalweg.reporting.text import format_count, format_interval

GROUPS = ("params", "data", "code", "versions", "winners")
TITLES = {"winners": "values of the winners"}
EFFECT_NOTE = "Each interval is of one setting alone; whether it mattered is judged for all settings together."
MATTERED = {"yes": "mattered", "little": "mattered little", "not clear": "not clear"}


def format_text(answer: DiffAnswer, titles: tuple[str, str], scope: str) -> str:
    """Format the answer; `titles` name A and B, `scope` says what the interval is from."""
    lines = [f"{name}: {title}{_describe_side(answer, name)}" for name, title in zip(("A", "B"), titles, strict=True)]
    lines += [answer.sentence, *([scope] if scope else []), *(f"note: {note}" for note in answer.notes)]
    same = [name for name in GROUPS if not getattr(answer, name) and name not in answer.unknown]
    for name in GROUPS:
        if getattr(answer, name):
            lines += ["", f"{TITLES.get(name, name)}: A -> B", *_list_changes(getattr(answer, name))]
    if same:
        lines += ["", f"no difference in {', '.join(TITLES.get(name, name) for name in same)}"]
    if answer.parameters:
        lines += ["", "searched, and how much it mattered", *_list_parameters(answer.parameters)]
        lines += [f"  {note}"] if (note := explain_effects(answer.parameters)) else []
    return "\n".join(lines)


def _describe_side(answer: DiffAnswer, name: str) -> str:
    side = answer.a if name == "A" else answer.b
    parts = [] if side.trials is None else [format_count(side.trials, "trial")]
    if side.winner is not None:
        value = format_value(side.winner.mean, side.winner.low, side.winner.high, answer.difference)
        parts.append(f"winner {side.metric} {value}".replace("  ", " "))
    return f", {', '.join(parts)}" if parts else ""


def _list_changes(changes: Sequence[Change]) -> Iterator[str]:
    width = max(len(change.name) for change in changes)
    for change in changes:
        yield f"  {change.name:<{width}}  {' -> '.join(format_sides(change))}"


def format_sides(change: Change) -> tuple[str, str]:
    """Format both values of a change: numbers with six digits, or with all if these do not tell them apart."""
    for digits in (6, 17):
        one, other = (_format_side(value, digits) for value in (change.a, change.b))
        if one != other:
            break
    return one, other


def _format_side(value: object, digits: int) -> str:
    """Format a value of one study; a missing one is a dash."""
    if value is None or isinstance(value, str):
        return value or "–"
    return f"{value:.{digits}g}" if isinstance(value, float) else format_inline(value)


def _list_parameters(pairs: Sequence[ParameterPair]) -> Iterator[str]:
    for pair in pairs:
        yield f"  {pair.name}"
        is_same = pair.space_a == pair.space_b
        if is_same:
            yield f"    A and B: {pair.space_a}"
        for name, space, effect in (("A", pair.space_a, pair.effect_a), ("B", pair.space_b, pair.effect_b)):
            parts = [*([] if is_same else [space or "not searched"]), *([describe_effect(effect)] if effect else [])]
            if parts:
                yield f"    {name}: {'; '.join(parts)}"


def explain_effects(pairs: Sequence[ParameterPair]) -> str:
    """Explain intervals of effects that seem to contradict the words beside them; '' without effects."""
    return EFFECT_NOTE if any(pair.effect_a or pair.effect_b for pair in pairs) else ""


def describe_effect(effect: Effect) -> str:
    """Describe an effect: `mattered, 0.3 (0.2 to 0.4), best 0.01 to 0.1`."""
    size = format_interval(effect.difference, effect.low, effect.high)
    return f"{MATTERED[effect.mattered]}, {size}, best {effect.best}"
