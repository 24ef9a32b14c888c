"""A comparison as a page with the look of the report."""

from collections.abc import Iterator, Sequence

import pandas as pd

from thalweg.diff.answer import DiffAnswer, StudySide
from thalweg.diff.changes import Change
from thalweg.diff.charts import build_differences_chart, build_effects_chart, build_winners_chart
from thalweg.diff.parameters import ParameterPair
from thalweg.diff.study import Study
from thalweg.diff.text import describe_effect, explain_effects, format_sides
from thalweg.diff.words import format_difference, format_value
from thalweg.reporting.finding import Finding
from thalweg.reporting.page.figures import Figure, Table
from thalweg.reporting.page.html import render_page
from thalweg.reporting.page.parts import KeyNumber, PageSection, ReportHead
from thalweg.reporting.text import capitalise_first, format_code, join_items

GROUPS = {"params": "Params", "data": "Data", "code": "Code", "versions": "Versions"}
NOTE = "A dash: not there. A setting that is not there has its default."


def render_diff_page(answer: DiffAnswer, a: Study, b: Study, scope: str) -> str:
    """Return the whole page; `scope` says what the numbers are."""
    chart = build_winners_chart(a, b, answer)
    head = ReportHead(answer.sentence, scope, _list_numbers(answer, a, b), chart, None, [], [])
    sections = [_build_winners(answer, a, b), _build_changes(answer), _build_search(answer)]
    return render_page(f"{a.place.title} and {b.place.title}", head, sections, ())


def _list_numbers(answer: DiffAnswer, a: Study, b: Study) -> list[KeyNumber]:
    """List both winners, and their difference."""
    numbers = []
    for study, side, colour in ((a, answer.a, "baseline"), (b, answer.b, "winner")):
        if side.winner is not None:
            name = study.name if answer.metric else f"{study.name}, {side.metric}".removesuffix(", ")
            value, _, ends = _format_winner(side, answer).partition(" (")
            numbers.append(KeyNumber(name, colour, value, ends.removesuffix(")"), study.place.title))
    if answer.difference is not None:
        value, _, ends = format_difference(answer.difference).partition(" (")
        numbers.append(KeyNumber("B − A", "", value, ends.removesuffix(")")))
    return numbers


def _format_winner(side: StudySide, answer: DiffAnswer) -> str:
    assert side.winner is not None
    return format_value(side.winner.mean, side.winner.low, side.winner.high, answer.difference)


def _build_winners(answer: DiffAnswer, a: Study, b: Study) -> PageSection:
    finding = Finding(_describe_winners(answer), " ".join(answer.notes))
    figures: list[Figure] = []
    if chart := build_differences_chart(a, b, answer):
        figures.append(chart)
    figures += _build_table("winners", "Values of the winners", answer.winners)
    return PageSection("winners", "Winners", [finding], figures)


def _describe_winners(answer: DiffAnswer) -> str:
    if "winners" in answer.unknown:
        return "The values of the winners are not known."
    names = [format_code(change.name) for change in answer.winners]
    return f"The winners differ in {join_items(names, 4)}." if names else "The winners have the same values."


def _build_changes(answer: DiffAnswer) -> PageSection:
    changed = [name for name in GROUPS if getattr(answer, name)]
    unknown = [name for name in GROUPS if name in answer.unknown]
    same = [name for name in GROUPS if name not in (*changed, *unknown)]
    verb = "differs" if changed == ["code"] else "differ"
    verdict = f"{capitalise_first(join_items(changed))} {verb}." if changed else "Nothing differs beside the results."
    names = [format_code(change.name) for change in answer.params]
    parts = [
        f"Params: {join_items(names)}." if names else "",
        f"No difference in {join_items(same)}." if same and changed else "",
        f"Not known: {join_items(unknown)}." if unknown else "",
    ]
    figures = [table for name in changed for table in _build_table(name, GROUPS[name], getattr(answer, name))]
    return PageSection("changes", "What differs", [Finding(verdict, " ".join(filter(None, parts)))], figures)


def _build_table(name: str, title: str, changes: Sequence[Change]) -> Iterator[Table]:
    if changes:
        rows = [dict(zip(("name", "A", "B"), (each.name, *format_sides(each)), strict=True)) for each in changes]
        yield Table(name, title, NOTE if name == "params" else "", pd.DataFrame(rows), is_half_width=len(rows) < 12)


def _build_search(answer: DiffAnswer) -> PageSection:
    pairs = answer.parameters
    apart = [format_code(pair.name) for pair in pairs if pair.space_a != pair.space_b]
    evidence = f"The spaces differ in {join_items(apart)}." if apart else "The spaces are the same."
    figures: list[Figure] = [chart] if (chart := build_effects_chart(answer)) else []
    if pairs:
        rows = pd.DataFrame([row for pair in pairs for row in _list_rows(pair)])
        figures.append(Table("spaces", "What was searched", explain_effects(pairs), rows))
    return PageSection("search", "What mattered", [Finding(_describe_effects(pairs), evidence)], figures)


def _list_rows(pair: ParameterPair) -> list[dict[str, str]]:
    """List a row for each study, or one for both if these would be the same."""
    sides = (("A", pair.space_a, pair.effect_a), ("B", pair.space_b, pair.effect_b))
    rows = [
        {
            "name": pair.name,
            "in": name,
            "space": space or "not searched",
            "effect": describe_effect(effect) if effect else "not known",
        }
        for name, space, effect in sides
    ]
    return [rows[0] | {"in": "A and B"}] if rows[0] | {"in": "B"} == rows[1] else rows


def _describe_effects(pairs: Sequence[ParameterPair]) -> str:
    """Say what mattered in both studies."""
    effects = [(format_code(pair.name), pair.effect_a, pair.effect_b) for pair in pairs]
    known = [(name, one.mattered, other.mattered) for name, one, other in effects if one and other]
    if not known:
        return "How much the settings mattered is not known of both."
    both = [name for name, one, other in known if one == other == "yes"]
    return f"{join_items(both)} mattered in both." if both else "No setting surely mattered in both."
