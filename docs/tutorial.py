"""The studies of docs/how-training-works.md: found in the page, run, their pictures kept.

`python -m docs.tutorial` runs all of them and draws every picture again; with names of studies, those alone.
"""

import contextlib
import io as memory
import re
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import vl_convert
from PIL import Image
from ruamel.yaml import YAML

from thalweg.config.load import load_config
from thalweg.reporting import render, sections
from thalweg.reporting.load import load_study_tables
from thalweg.reporting.tables import StudyTables
from thalweg.stages import STAGE_NAMES, runner
from thalweg.system import files
from thalweg.system.paths import CONTACT_SHEET, PARAMS

Tree = dict[str, Any]

PAGE = Path(__file__).with_name("how-training-works.md")
WHOLE = ("space", "model")
"""Parts that a study gives anew rather than in pieces: what they may hold depends on their other keys."""
SHEET_NAME = "contact-sheet"
SHARP = 1.5
COLOURS = 64
"""The name of the augment stage's sheet among the figures; a PNG's pixels for one of its SVG, and how many colours."""


@dataclass(frozen=True)
class Lesson:
    """A study and what the page says after it, up to the next one.

    - `params`: the whole experiment, as params.yaml would have it.
    - `said`: pieces of verdicts that its report must have.
    """

    name: str
    params: Tree
    said: tuple[str, ...]


@dataclass(frozen=True)
class Outcome:
    """What a study came to: all that its report is made from, and that report's verdicts and figures, by file name."""

    tables: StudyTables
    verdicts: tuple[str, ...]
    figures: dict[str, bytes]

    @property
    def kind(self) -> dict[int, str]:
        """What the monitor says of each trial, by its number."""
        verdicts = self.tables.verdicts
        return dict(zip(verdicts["trial"], verdicts["kind"], strict=True))

    @property
    def value(self) -> dict[int, float]:
        """What each trial came to, by its number."""
        trials = self.tables.trials
        return dict(zip(trials["number"], trials["value"], strict=True))


def lessons(page: str) -> list[Lesson]:
    """The studies of a page in its order, each the page's base with the study's own changes."""
    base = _yaml(page.split("<!-- base -->")[1])
    parts = re.split(r"<!-- study: (\w+) -->", page)[1:]
    return [
        Lesson(
            name,
            merged(base, _yaml(text)),
            tuple(re.findall(r"^> The report says: \*\*(.+?)\*\*", text, re.MULTILINE)),
        )
        for name, text in zip(parts[::2], parts[1::2], strict=True)
    ]


def _yaml(text: str) -> Tree:
    """The first block of YAML in a text."""
    match = re.search(r"```yaml\n(.*?)```", text, re.DOTALL)
    assert match
    tree: Tree = YAML(typ="safe").load(match[1])
    return tree


def merged(base: Tree, changes: Tree) -> Tree:
    """A tree with another's values in place of its own, part by part; those in `WHOLE` as they are given."""
    both = {
        name: merged(base[name], value) if isinstance(base.get(name), dict) and name not in WHOLE else value
        for name, value in changes.items()
        if isinstance(value, dict)
    }
    return base | changes | both


def pictures(page: str) -> list[tuple[str, str]]:
    """The pictures that a page shows: study and figure's file name, of `training/STUDY-FIGURE`."""
    return re.findall(r"\]\(training/(\w+?)-([\w-]+\.\w+)\)", page)


def run(params: Tree, folder: Path) -> Outcome:
    """Every stage of an experiment in an empty folder, and what its report would show."""
    with contextlib.chdir(folder):
        YAML().dump(params, PARAMS)
        for name in STAGE_NAMES[:-1]:
            runner.run_stage(name)
        tables = load_study_tables(load_config(PARAMS))
        chosen = sections.select_sections(tables)
        verdicts = tuple(
            finding.verdict for section in chosen for finding in sections.collect_findings(section, tables)
        )
        svgs = render.render_markdown(tables, chosen)[1]
        figures = {name: svg.encode() for name, svg in svgs.items()} | {f"{SHEET_NAME}.png": CONTACT_SHEET.read_bytes()}
    return Outcome(tables, verdicts, figures)


def picture(figures: dict[str, bytes], name: str) -> bytes:
    """A figure as the page shows it: an SVG as it is, a PNG in few colours, where need be of the SVG."""
    if name.endswith(".svg"):
        return figures[name]
    pixels = figures.get(name) or bytes(
        vl_convert.svg_to_png(figures[name.replace(".png", ".svg")].decode(), scale=SHARP)
    )
    small = memory.BytesIO()
    Image.open(memory.BytesIO(pixels)).convert("RGB").quantize(COLOURS).save(small, "PNG", optimize=True)
    return small.getvalue()


def draw(names: list[str]) -> Iterator[str]:
    """Run the studies of these names, all if there are none, and write their pictures; a line on each."""
    page = PAGE.read_text()
    for lesson in lessons(page):
        if names and lesson.name not in names:
            continue
        began = time.perf_counter()
        with tempfile.TemporaryDirectory() as folder:
            outcome = run(lesson.params, Path(folder))
        for study_name, figure in pictures(page):
            if study_name == lesson.name:
                files.write_bytes(
                    PAGE.parent / "training" / f"{lesson.name}-{figure}", picture(outcome.figures, figure)
                )
        yield f"{lesson.name}: {time.perf_counter() - began:.0f} s; {' '.join(outcome.verdicts)}"


if __name__ == "__main__":
    for line in draw(sys.argv[1:]):
        print(line)
