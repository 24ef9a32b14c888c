"""The parts of the report in Markdown, with its figures as SVG."""

import re

import vl_convert

from thalweg.reporting.finding import Finding
from thalweg.reporting.page.figures import Blank, Chart, Code, Figure, Gallery, Listing, Register, numeric_columns, spec
from thalweg.reporting.page.html import environment
from thalweg.reporting.page.pictures import read_picture
from thalweg.reporting.page.theme import FIGURE_FONT, PAINT, config
from thalweg.reporting.text import format_number, join_items

WIDTH, HALF = 760, 480
"""Pixels of a chart."""
COLUMN, GAP, LINE, BELOW = 170, 20, 17, 44
"""Pixels of a gallery's sheet: a picture, the gap beside it, from its foot to its words, and to the next row."""
ACROSS = 4


def plain(text: str) -> str:
    """Text that Markdown takes as it is: nothing in it is markup, and it stays on its line; `code` is kept."""
    parts = re.split(r"(`[^`]+`)", " ".join(text.split()))
    return "".join(part if i % 2 else _escaped(part) for i, part in enumerate(parts))


def _escaped(text: str) -> str:
    return re.sub(r"([\\`*_\[\]|~#])", r"\\\1", text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;"))


def finding(found: Finding) -> str:
    """One finding as a list item."""
    lines = [f"- **{plain(found.verdict)}** {plain(found.evidence)}"]
    if found.step:
        lines.append(f"  → {plain(found.step)}")
    if found.trials:
        lines.append(f"  ({'Trial' if len(found.trials) == 1 else 'Trials'} {join_items(found.trials, 12)})")
    return "\n".join(lines)


def figure(shown: Figure) -> tuple[str, dict[str, str]]:
    """One figure as Markdown, and the SVG files that it shows by name."""
    files = {}
    match shown:
        case Register():
            return figure(shown.paper)
        case Blank():
            body = plain(shown.reason)
        case Listing():
            body = _table(shown)
        case Code():
            body = "\n".join(f"    {line}" for each in shown.lines for line in each.splitlines())
        case Chart() | Gallery():
            told = shown.description if isinstance(shown, Chart) else shown.title
            body = f"![{plain(told)}](figures/{shown.id}.svg)"
            files[f"{shown.id}.svg"] = svg(shown) if isinstance(shown, Chart) else sheet(shown)
    caption = [] if isinstance(shown, Blank) or not shown.caption else [plain(shown.caption)]
    return "\n\n".join([f"### {plain(shown.title)}", *caption, body]), files


def svg(chart: Chart) -> str:
    """A chart as SVG on light paper, the same bytes each time."""
    drawn = spec(chart, HALF if chart.half else WIDTH) | {"config": config(FIGURE_FONT, PAINT["paper"])}
    return renumbered(str(vl_convert.vegalite_to_svg(drawn)))


def renumbered(text: str) -> str:
    """Clips numbered from 0 in each figure: the converter counts them over all that its process has drawn."""
    order = {found: f"clip{index}" for index, found in enumerate(dict.fromkeys(re.findall(r'id="(clip\d+)"', text)))}
    return re.sub(r'(?<=id=")clip\d+(?=")|(?<=url\(#)clip\d+(?=\))', lambda found: order.get(found[0], found[0]), text)


def _table(shown: Listing) -> str:
    names = [str(name) for name in shown.rows]
    rule = ["---:" if right else "---" for right in numeric_columns(shown.rows)]
    lines = [[_escaped(name) for name in names], rule]
    for index, row in enumerate(shown.rows.itertuples(index=False, name=None)):
        cells = [_escaped(" ".join(format_number(value).split())) for value in row]
        lines.append([f"{cells[0]} •" if index in shown.marked else cells[0], *cells[1:]])
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def sheet(gallery: Gallery) -> str:
    """Draw the pictures of a gallery as one SVG, each with its words below."""
    column, across = (COLUMN * 2 + GAP, ACROSS // 2) if gallery.wide else (COLUMN, ACROSS)
    pictures = [read_picture(row) for row in gallery.pictures]
    tall = max(round(column * picture.height / picture.width) for picture in pictures)
    row = tall + BELOW
    places = [((index % across) * (column + GAP), (index // across) * row) for index in range(len(pictures))]
    template = environment().get_template("templates/sheet.svg")
    return template.render(
        width=across * (column + GAP) - GAP,
        height=-(-len(pictures) // across) * row,
        column=column,
        tall=tall,
        cells=[(x, y, y + tall + LINE, picture) for (x, y), picture in zip(places, pictures, strict=True)],
        font=FIGURE_FONT,
        paint=PAINT,
    )
