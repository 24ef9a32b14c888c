"""Findings and figures in Markdown, charts as SVG."""

import re
from collections.abc import Sequence

import vl_convert

from thalweg.reporting.finding import Finding
from thalweg.reporting.page import figures
from thalweg.reporting.page.html import build_environment
from thalweg.reporting.page.parts import KeyNumber
from thalweg.reporting.page.pictures import read_picture
from thalweg.reporting.page.theme import FIGURE_FONT, PAINT, build_vega_config
from thalweg.reporting.text import format_number, join_items

CHART_WIDTH = 760  # pixels, as all below
HALF_CHART_WIDTH = 480
PICTURE_WIDTH = 170
PICTURE_GAP = 20
CAPTION_OFFSET = 17  # from a picture to the baseline of its caption
CAPTION_HEIGHT = 44  # from a picture to the next row
PICTURES_PER_ROW = 4


def escape_text(text: str) -> str:
    """Escape text for Markdown, on one line; `code` stays code."""
    parts = re.split(r"(`[^`]+`)", " ".join(text.split()))
    return "".join(part if i % 2 else _escape_markup(part) for i, part in enumerate(parts))


def _escape_markup(text: str) -> str:
    return re.sub(r"([\\`*_\[\]|~#])", r"\\\1", text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;"))


def render_head(lede: str, measure: str, numbers: Sequence[KeyNumber]) -> list[str]:
    """Return the head of the report below its title: the headline, what is measured, and the numbers."""
    lines = []
    for number in numbers:
        values, note = (f" ({escape_text(text)})" if text else "" for text in (number.values, number.note))
        lines.append(f"- {escape_text(number.name)}{values}: {escape_text(number.value)}{note}")
    parts = [f"**{escape_text(lede)}**" if lede else "", escape_text(measure), "\n".join(lines)]
    return [part for part in parts if part]


def render_steps(steps: Sequence[str], commands: Sequence[str]) -> list[str]:
    """Return the next steps; the `commands` do the first."""
    lines = [f"{i}. {escape_text(step)}" for i, step in enumerate(steps, 1)]
    if lines and commands:
        lines[0] += "\n\n" + "\n".join(f"       {line}" for line in commands) + "\n"
    return ["**What next**", "\n".join(lines)] if lines else []


def render_finding(finding: Finding) -> str:
    """Return a finding as a list item."""
    lines = [f"- **{escape_text(finding.verdict)}** {escape_text(finding.evidence)}".rstrip()]
    if finding.next_step:
        lines.append(f"  → {escape_text(finding.next_step)}")
    if finding.trials:
        lines.append(f"  ({'Trial' if len(finding.trials) == 1 else 'Trials'} {join_items(finding.trials, 12)})")
    return "\n".join(lines)


def render_figure(figure: figures.Figure) -> tuple[str, dict[str, str]]:
    """Return a figure as Markdown, and its SVG files by name."""
    files = {}
    match figure:
        case figures.TrialTable():
            return render_figure(figure.markdown_figure)
        case figures.EmptyFigure():
            body = escape_text(figure.reason)
        case figures.Table():
            body = _render_table(figure)
        case figures.Code():
            body = "\n".join(f"    {line}" for text in figure.lines for line in text.splitlines())
        case figures.Chart() | figures.Gallery():
            alternative = figure.description if isinstance(figure, figures.Chart) else figure.title
            body = f"![{escape_text(alternative)}](figures/{figure.id}.svg)"
            files[f"{figure.id}.svg"] = (
                render_svg(figure) if isinstance(figure, figures.Chart) else render_gallery(figure)
            )
    caption = [] if isinstance(figure, figures.EmptyFigure) or not figure.caption else [escape_text(figure.caption)]
    return "\n\n".join([f"### {escape_text(figure.title)}", *caption, body]), files


def render_svg(chart: figures.Chart) -> str:
    """Return a chart as SVG on a light background; the same chart gives the same bytes."""
    spec = figures.build_vega_spec(chart, HALF_CHART_WIDTH if chart.is_half_width else CHART_WIDTH)
    config = build_vega_config(FIGURE_FONT, PAINT["paper"])
    return renumber_clips(str(vl_convert.vegalite_to_svg(spec | {"config": config})))


def renumber_clips(text: str) -> str:
    """Number clips from 0 in each figure: the converter counts them over all charts of its process."""
    order = {clip: f"clip{index}" for index, clip in enumerate(dict.fromkeys(re.findall(r'id="(clip\d+)"', text)))}
    return re.sub(r'(?<=id=")clip\d+(?=")|(?<=url\(#)clip\d+(?=\))', lambda match: order.get(match[0], match[0]), text)


def _render_table(table: figures.Table) -> str:
    names = [str(name) for name in table.rows]
    rule = ["---:" if right else "---" for right in figures.mark_numeric_columns(table.rows)]
    lines = [[_escape_markup(name) for name in names], rule]
    for index, row in enumerate(table.rows.itertuples(index=False, name=None)):
        cells = [_escape_markup(" ".join(format_number(value).split())) for value in row]
        lines.append([f"{cells[0]} •" if index in table.marked_rows else cells[0], *cells[1:]])
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def render_gallery(gallery: figures.Gallery) -> str:
    """Draw the pictures of a gallery as one SVG, each with its caption below."""
    column, across = (
        (PICTURE_WIDTH * 2 + PICTURE_GAP, PICTURES_PER_ROW // 2)
        if gallery.is_wide
        else (PICTURE_WIDTH, PICTURES_PER_ROW)
    )
    pictures = [read_picture(row) for row in gallery.pictures]
    tall = max(round(column * picture.height / picture.width) for picture in pictures)
    row = tall + CAPTION_HEIGHT
    positions = [((index % across) * (column + PICTURE_GAP), (index // across) * row) for index in range(len(pictures))]
    template = build_environment().get_template("templates/sheet.svg")
    return template.render(
        width=across * (column + PICTURE_GAP) - PICTURE_GAP,
        height=-(-len(pictures) // across) * row,
        column=column,
        tall=tall,
        cells=[(x, y, y + tall + CAPTION_OFFSET, picture) for (x, y), picture in zip(positions, pictures, strict=True)],
        font=FIGURE_FONT,
        paint=PAINT,
    )
