"""The first screen: what the study concludes, the numbers, four examples, one chart, and the next step."""

from collections.abc import Sequence
from dataclasses import replace

from thalweg.reporting.advice.commands import SPACE, format_commands
from thalweg.reporting.advice.next_space import build_next_space
from thalweg.reporting.advice.next_steps import choose_next_steps
from thalweg.reporting.advice.space_yaml import list_settings
from thalweg.reporting.analysis.candidate_values import name_values
from thalweg.reporting.analysis.confirmed import ConfirmedResult, build_confirmed_result
from thalweg.reporting.finding import NextStep, Step
from thalweg.reporting.page.figures import Chart, Gallery
from thalweg.reporting.page.parts import KeyNumber, ReportHead
from thalweg.reporting.rewording import reword_figures, reword_text
from thalweg.reporting.sections import Section, collect_findings, get_section_name
from thalweg.reporting.sections.result.candidates import build_candidates_chart
from thalweg.reporting.sections.result.references import rank_references
from thalweg.reporting.sentences import drop_reference
from thalweg.reporting.tables import StudyTables
from thalweg.reporting.text import (
    count_decimals,
    format_change,
    format_code,
    format_fixed,
    format_interval,
    format_number,
    join_items,
)
from thalweg.stats.intervals import compare_with_zero

MAX_VALUES_LENGTH = 36
"""Characters of the searched values below a number: at most two lines on a phone."""


def build_head(tables: StudyTables, sections: Sequence[Section]) -> ReportHead:
    """Build the head; its sentence is the first verdict of the report, its step the first that can be pasted."""
    findings_by_section = {get_section_name(section): collect_findings(section, tables) for section in sections}
    verdicts = [findings[0].verdict for findings in findings_by_section.values() if findings]
    steps = choose_next_steps(findings_by_section)
    commands = {step: lines for step in steps if (lines := format_commands(tables, step.text))}
    first, lines = next(iter(commands.items()), (None, []))
    steps.sort(key=lambda step: step != first)
    result = build_confirmed_result(tables)
    head = ReportHead(
        lede=verdicts[0] if verdicts else "",
        measure=_describe_measure(tables, result),
        numbers=_list_confirmed_numbers(tables, result) if result else _list_unconfirmed_numbers(tables),
        chart=build_candidates_chart(tables),
        pictures=_build_gallery(tables),
        steps=[_shorten_step(tables, step, lines) if step == first else step for step in steps],
        commands=lines,
    )
    return _reword_head(tables, head)


def _reword_head(tables: StudyTables, head: ReportHead) -> ReportHead:
    """Put what the head says beyond the findings into the words of the study."""
    charts = [] if head.chart is None else reword_figures(tables, [head.chart])
    numbers = [number._replace(note=reword_text(tables, number.note)) for number in head.numbers]
    chart = next((figure for figure in charts if isinstance(figure, Chart)), None)
    return replace(head, measure=reword_text(tables, head.measure), numbers=numbers, chart=chart)


def _shorten_step(tables: StudyTables, step: NextStep, commands: Sequence[str]) -> NextStep:
    """Shorten a step that stands above its commands."""
    if tables.is_foreign:  # its only commands are the lines of the next search
        first = drop_reference(step.text).partition(". ")[0]  # the section Parameters has the rest
        return step._replace(text=Step(f"{first.removesuffix('.')}:"))
    if SPACE in step.text.patch:
        settings = [format_code(setting) for setting, _ in list_settings(build_next_space(tables))]
        first = f"set {join_items(settings)} in params.yaml, then search" if settings else "in params.yaml, search"
        return step._replace(text=Step(f"{step.text.partition(',')[0]}, {first} this space:"))
    text = drop_reference(step.text)
    for command in commands:
        text = text.removesuffix(f" `{command}`.")
    return step._replace(text=Step(text))


def _describe_measure(tables: StudyTables, result: ConfirmedResult | None) -> str:
    """Say what the numbers are."""
    if result is None:
        return ""
    direction = "lower" if tables.sign > 0 else "higher"
    return f"{tables.objective_label.capitalize()} on the {result.split} set; {direction} is better."


def _list_confirmed_numbers(tables: StudyTables, result: ConfirmedResult) -> list[KeyNumber]:
    """List the winner and the baseline with their intervals, and the best simple answer."""
    candidates = {"winner": result.winner, "baseline": result.baseline}
    candidates = candidates if tables.has_winner else {"baseline": result.baseline}
    places = max(result.decimals, *(count_decimals((each.high - each.low) / 2) for each in candidates.values()))
    numbers = []
    for name, each in candidates.items():
        text, _, ends = format_interval(each.mean, each.low, each.high, min_places=places).partition(" (")
        values = name_values(tables, tables.winner if name == "winner" else None, MAX_VALUES_LENGTH)
        numbers.append(KeyNumber(name, name, text, ends.removesuffix(")"), values))
    for answer in rank_references(tables).head(1).to_dict("records"):
        value = format_fixed(float(answer[tables.objective]), places)
        numbers.append(KeyNumber(str(answer["answer"]), "", value, _describe_answer(tables, str(answer["answer"]))))
    return numbers


def _describe_answer(tables: StudyTables, name: str) -> str:
    """Describe a simple answer; where it is not clear that the winner is better, by its difference from the winner."""
    differences = [answer.difference.interval for answer in tables.summary.answers if answer.name == name]
    if not differences or compare_with_zero(differences[0], tables.sign) == "worse":
        return "without a network"
    mean = tables.sign * differences[0].mean
    low, high = sorted((tables.sign * differences[0].low, tables.sign * differences[0].high))
    return f"without a network; {format_change(mean, low, high)} than the winner"


def _list_unconfirmed_numbers(tables: StudyTables) -> list[KeyNumber]:
    if tables.ranked.empty:
        return []
    best = tables.ranked.iloc[0]
    note = f"trial {int(best['number'])}, on the validation set, not confirmed"
    values = name_values(tables, int(best["number"]), MAX_VALUES_LENGTH)
    return [KeyNumber(f"best {tables.objective_label}", "winner", format_number(best["value"]), note, values)]


def _build_gallery(tables: StudyTables) -> Gallery | None:
    if not tables.typical_pictures:
        return None
    title = f"{'Typical image' if len(tables.typical_pictures) == 1 else 'Typical images'} of the {tables.split} set"
    caption = "The middle of each quarter of the errors, the best first"
    caption += f", {tables.picture_caption}." if tables.picture_caption != StudyTables.picture_caption else "."
    return Gallery("typical", title, caption, tables.typical_pictures, is_wide=tables.output_kind == "image")
