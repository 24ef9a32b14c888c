"""The parts of the report in Markdown, with its figures as SVG."""

import re

import vl_convert

from thalweg.reporting.finding import Finding
from thalweg.reporting.page import figures
from thalweg.reporting.page.html import build_environment
from thalweg.reporting.page.pictures import read_picture
from thalweg.reporting.page.theme import FIGURE_FONT, PAINT, build_vega_config
from thalweg.reporting.text import format_number, join_items

CHART_WIDTH, HALF_CHART_WIDTH = 760, 480
"""Pixels of a chart."""
PICTURE_WIDTH, PICTURE_GAP, CAPTION_OFFSET, CAPTION_HEIGHT = 170, 20, 17, 44
"""Pixels of a gallery's sheet: a picture, the gap beside it, from its foot to its words, and to the next row."""
PICTURES_PER_ROW = 4


def escape_text(text: str) -> str:
    """Text that Markdown takes as it is: nothing in it is markup, and it stays on its line; `code` is kept."""
    parts = re.split(r"(`[^`]+`)", " ".join(text.split()))
    return "".join(part if i % 2 else _escape_markup(part) for i, part in enumerate(parts))


def _escape_markup(text: str) -> str:
    return re.sub(r"([\\`*_\[\]|~#])", r"\\\1", text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;"))


def render_finding(finding: Finding) -> str:
    """One finding as a list item."""
    lines = [f"- **{escape_text(finding.verdict)}** {escape_text(finding.evidence)}"]
    if finding.next_step:
        lines.append(f"  → {escape_text(finding.next_step)}")
    if finding.trials:
        lines.append(f"  ({'Trial' if len(finding.trials) == 1 else 'Trials'} {join_items(finding.trials, 12)})")
    return "\n".join(lines)


def render_figure(figure: figures.Figure) -> tuple[str, dict[str, str]]:
    """One figure as Markdown, and the SVG files that it shows by name."""
    files = {}
    match figure:
        case figures.TrialTable():
            return render_figure(figure.markdown_figure)
        case figures.EmptyFigure():
            body = escape_text(figure.reason)
        case figures.Table():
            body = _render_table(figure)
        case figures.Code():
            body = "\n".join(f"    {line}" for each in figure.lines for line in each.splitlines())
        case figures.Chart() | figures.Gallery():
            told = figure.description if isinstance(figure, figures.Chart) else figure.title
            body = f"![{escape_text(told)}](figures/{figure.id}.svg)"
            files[f"{figure.id}.svg"] = (
                render_svg(figure) if isinstance(figure, figures.Chart) else render_gallery(figure)
            )
    caption = [] if isinstance(figure, figures.EmptyFigure) or not figure.caption else [escape_text(figure.caption)]
    return "\n\n".join([f"### {escape_text(figure.title)}", *caption, body]), files


def render_svg(chart: figures.Chart) -> str:
    """A chart as SVG on light paper, the same bytes each time."""
    drawn = figures.build_vega_spec(chart, HALF_CHART_WIDTH if chart.is_half_width else CHART_WIDTH) | {
        "config": build_vega_config(FIGURE_FONT, PAINT["paper"])
    }
    return renumber_clips(str(vl_convert.vegalite_to_svg(drawn)))


def renumber_clips(text: str) -> str:
    """Clips numbered from 0 in each figure: the converter counts them over all that its process has drawn."""
    order = {found: f"clip{index}" for index, found in enumerate(dict.fromkeys(re.findall(r'id="(clip\d+)"', text)))}
    return re.sub(r'(?<=id=")clip\d+(?=")|(?<=url\(#)clip\d+(?=\))', lambda found: order.get(found[0], found[0]), text)


def _render_table(shown: figures.Table) -> str:
    names = [str(name) for name in shown.rows]
    rule = ["---:" if right else "---" for right in figures.mark_numeric_columns(shown.rows)]
    lines = [[_escape_markup(name) for name in names], rule]
    for index, row in enumerate(shown.rows.itertuples(index=False, name=None)):
        cells = [_escape_markup(" ".join(format_number(value).split())) for value in row]
        lines.append([f"{cells[0]} •" if index in shown.marked_rows else cells[0], *cells[1:]])
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def render_gallery(gallery: figures.Gallery) -> str:
    """Draw the pictures of a gallery as one SVG, each with its words below."""
    column, across = (
        (PICTURE_WIDTH * 2 + PICTURE_GAP, PICTURES_PER_ROW // 2)
        if gallery.is_wide
        else (PICTURE_WIDTH, PICTURES_PER_ROW)
    )
    pictures = [read_picture(row) for row in gallery.pictures]
    tall = max(round(column * picture.height / picture.width) for picture in pictures)
    row = tall + CAPTION_HEIGHT
    places = [((index % across) * (column + PICTURE_GAP), (index // across) * row) for index in range(len(pictures))]
    template = build_environment().get_template("templates/sheet.svg")
    return template.render(
        width=across * (column + PICTURE_GAP) - PICTURE_GAP,
        height=-(-len(pictures) // across) * row,
        column=column,
        tall=tall,
        cells=[(x, y, y + tall + CAPTION_OFFSET, picture) for (x, y), picture in zip(places, pictures, strict=True)],
        font=FIGURE_FONT,
        paint=PAINT,
    )
