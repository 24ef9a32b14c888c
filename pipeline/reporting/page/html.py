"""The parts of the page: every string from outside is escaped here, once."""

import base64
import hashlib
import json
from collections.abc import Collection, Sequence
from html import escape
from pathlib import Path
from typing import Any

from thalweg.reporting.finding import Finding
from thalweg.reporting.page import html_tables
from thalweg.reporting.page.figures import Blank, Chart, Code, Figure, Gallery, Listing, Register, spec
from thalweg.reporting.page.markup import prose
from thalweg.reporting.page.theme import PAINT
from thalweg.reporting.text import listed, number
from thalweg.system.files import read_bytes

MARK = (
    '<svg viewBox="0 0 30 22" fill="none" stroke-linecap="round" aria-hidden="true">'
    '<g stroke="var(--faint)" stroke-width="1.2"><path d="M1 1C7 3 10 19 15 19S23 3 29 1"/>'
    '<path d="M5.500 1C10 4 11.500 14 15 14S20 4 24.500 1"/></g>'
    '<path d="M15 9V21" stroke="var(--winner)" stroke-width="2"/></svg>'
)


def embedded(value: Any) -> str:
    """JSON that is safe inside a script element: it cannot end it, nor open a comment or another one."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def themed(value: Any) -> Any:
    """A specification whose colours are the page's CSS variables, so that they follow light, dark and print."""
    if isinstance(value, dict):
        return {name: each if name == "datasets" else themed(each) for name, each in value.items()}
    if isinstance(value, list):
        return [themed(each) for each in value]
    return _VARIABLES.get(value, value) if isinstance(value, str) else value


_VARIABLES = {value: f"var(--{name})" for name, value in PAINT.items()}


def integrity(script: str) -> str:
    """A script's hash as a content security policy names it."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"


TONE = {"good": "Good: ", "caution": "Caution: ", "plain": ""}
"""What a finding's mark says to one who cannot see it."""


def finding(found: Finding, anchors: Collection[int] = ()) -> str:
    """One finding as HTML; its trials lead to their rows where `anchors` has them."""
    tone = f'<span class="unseen">{TONE[found.tone]}</span>' if TONE[found.tone] else ""
    parts = [f"<h3>{tone}{prose(found.verdict)}</h3>", f"<p>{prose(found.evidence)}</p>"]
    if found.step:
        parts.append(f'<p class="next">{prose(found.step)}</p>')
    if found.trials:
        word = "Trial" if len(found.trials) == 1 else "Trials"
        links = [
            f'<a href="#trial-{trial}" data-trial="{trial}">{trial}</a>' if trial in anchors else str(trial)
            for trial in found.trials
        ]
        parts.append(f'<p class="behind">{word} {listed(links, 12)}</p>')
    return f'<article class="finding {found.tone}">{"".join(parts)}</article>'


def figure(shown: Figure) -> str:
    """One figure as HTML."""
    caption = f"<h3>{escape(shown.title)}</h3>"
    if not isinstance(shown, Blank) and shown.caption:
        caption += f"<p>{prose(shown.caption)}</p>"
    kind = ' class="half"' if isinstance(shown, (Chart, Listing, Blank)) and shown.half else ""
    kind = ' class="register"' if isinstance(shown, Register) else kind
    return f'<figure id="figure-{escape(shown.id)}"{kind}><figcaption>{caption}</figcaption>{_body(shown)}</figure>'


def _body(shown: Figure) -> str:
    match shown:
        case Chart():
            return _chart(shown)
        case Listing():
            return html_tables.listing(shown)
        case Register():
            return html_tables.register(shown)
        case Gallery():
            kind = "gallery wide" if shown.wide else "gallery"
            return f'<ol class="{kind}">{"".join(_picture(picture) for picture in shown.pictures)}</ol>'
        case Code():
            return f"<pre>{escape(chr(10).join(shown.lines))}</pre>"
        case Blank():
            return f'<p class="blank">{prose(shown.reason)}</p>'


def _chart(shown: Chart) -> str:
    """A chart's place, its specification for the script that draws it, and its values to read."""
    drawn = themed(spec(shown, "container"))
    drawn["datasets"] = {name: columns(rows) for name, rows in drawn["datasets"].items()}
    tall = drawn["height"] + AROUND if isinstance(drawn.get("height"), int) else 2 * AROUND
    box = f'<div class="chart" role="img" aria-label="{escape(shown.description)}" style="--tall:{tall}px"></div>'
    return f'{box}<script type="application/json">{embedded(drawn)}</script>{html_tables.values(shown)}'


AROUND = 70
"""Pixels of axis, title and legend around a chart, about."""


def columns(rows: Sequence[dict[str, Any]]) -> dict[str, list[Any]]:
    """Rows as columns, which need each name once: half as long; null where a row has no value."""
    names = dict.fromkeys(name for row in rows for name in row)
    return {name: [row.get(name) for row in rows] for name in names}


def _picture(picture: Any) -> str:
    content = read_bytes(Path(picture["file"]))
    width, height = size(content)
    told = told_and_true(picture)
    data = base64.b64encode(content).decode()
    return (
        f'<li><img src="data:image/png;base64,{data}" width="{width}" height="{height}" '
        f'alt="{escape(str(picture["image"]))}: {escape(told)}"><b>{escape(told)}</b>'
        f"<span>{escape(str(picture['image']))}</span></li>"
    )


def told_and_true(picture: Any) -> str:
    """`7.2, truth 9`: what the winner said of a picture, and what is so; of an image how near it is to the truth."""
    if "psnr" in picture:
        return f"{number(picture['psnr'])} dB, given {number(picture['given_psnr'])} dB"
    if "prediction" not in picture:
        return f"error {number(picture['error'])}"
    return f"{number(picture['prediction'])}, truth {number(picture['truth'])}"


def size(png: bytes) -> tuple[int, int]:
    """Width and height of a PNG, from its header (PNG specification, 11.2.2)."""
    return int.from_bytes(png[16:20], "big"), int.from_bytes(png[20:24], "big")


def numbers(entries: Sequence[tuple[str, str, str, str]]) -> str:
    """The row of large numbers: name, colour or nothing, value, what stands under it."""
    cells = []
    for name, paint, value, below in entries:
        dot = f'<i style="background:var(--{paint})"></i>' if paint else ""
        cells.append(f'<div><dt>{dot}{escape(name)}</dt><dd class="big">{escape(value)}</dd>'
                     f'<dd class="small">{escape(below)}</dd></div>')  # fmt: skip
    return f'<dl class="numbers">{"".join(cells)}</dl>'


def frame(title: str, style: str, navigation: str, main: str, config: Any, scripts: Sequence[str]) -> str:
    """The whole document. Its policy lets nothing leave and nothing run but these scripts, known by their hashes."""
    policy = (
        "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; "
        f"script-src {' '.join(integrity(script) for script in scripts)}"
    )
    return "\n".join(
        [
            "<!doctype html>",
            '<html lang="en">',
            "<head>",
            '<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{escape(title)}</title>",
            f"<style>\n{style}</style>",
            "</head>",
            "<body>",
            '<a class="skip" href="#content">To the content</a>',
            f'<div class="frame"><nav aria-label="Sections">{navigation}</nav>',
            f'<main id="content">{main}</main></div>',
            f'<script type="application/json" id="config">{embedded(themed(config))}</script>',
            *(f"<script>{script}</script>" for script in scripts),
            "</body>",
            "</html>",
            "",
        ]
    )
