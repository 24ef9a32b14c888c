"""The studies of docs/how-training-works.md: read from the page, run, and drawn.

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
WHOLE_PARTS = ("space", "model")
"""Parts that a study replaces as a whole: which keys they may hold depends on their other keys."""
SHEET_NAME = "contact-sheet"  # of the augment stage, among the figures
PNG_SCALE = 1.5  # pixels of a PNG for one of its SVG
PNG_COLOURS = 64


@dataclass(frozen=True)
class Lesson:
    """A study of the page. `params`: the whole experiment. `said`: parts of verdicts that its report must have."""

    name: str
    params: Tree
    said: tuple[str, ...]


@dataclass(frozen=True)
class Outcome:
    """The result of a study: the tables of its report, the report's verdicts, and its figures by file name."""

    tables: StudyTables
    verdicts: tuple[str, ...]
    figures: dict[str, bytes]

    @property
    def kinds(self) -> dict[int, str]:
        """The monitor's verdict on each trial, by its number."""
        verdicts = self.tables.verdicts
        return dict(zip(verdicts["trial"], verdicts["kind"], strict=True))

    @property
    def values(self) -> dict[int, float]:
        """The value of each trial, by its number."""
        trials = self.tables.trials
        return dict(zip(trials["number"], trials["value"], strict=True))


def read_lessons(page: str) -> list[Lesson]:
    """Read the studies of a page in its order: the page's base with each study's changes."""
    base = _read_yaml(page.split("<!-- base -->")[1])
    parts = re.split(r"<!-- study: (\w+) -->", page)[1:]
    return [
        Lesson(
            name,
            merge_trees(base, _read_yaml(text)),
            tuple(re.findall(r"^> The report says: \*\*(.+?)\*\*", text, re.MULTILINE)),
        )
        for name, text in zip(parts[::2], parts[1::2], strict=True)
    ]


def _read_yaml(text: str) -> Tree:
    """Read the first block of YAML in a text."""
    match = re.search(r"```yaml\n(.*?)```", text, re.DOTALL)
    assert match
    tree: Tree = YAML(typ="safe").load(match[1])
    return tree


def merge_trees(base: Tree, changes: Tree) -> Tree:
    """Return a tree with the values of `changes`, part by part; the parts in WHOLE_PARTS as they are there."""
    both = {
        name: merge_trees(base[name], value) if isinstance(base.get(name), dict) and name not in WHOLE_PARTS else value
        for name, value in changes.items()
        if isinstance(value, dict)
    }
    return base | changes | both


def list_pictures(page: str) -> list[tuple[str, str]]:
    """List the pictures that a page shows: study and file name of the figure, from `training/STUDY-FIGURE`."""
    return re.findall(r"\]\(training/(\w+?)-([\w-]+\.\w+)\)", page)


def run_study(params: Tree, folder: Path) -> Outcome:
    """Run every stage of an experiment in an empty folder, but for writing the report; return its result."""
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


def render_picture(figures: dict[str, bytes], name: str) -> bytes:
    """Return a figure as the page shows it: an SVG unchanged, a PNG in few colours, if need be drawn from the SVG."""
    if name.endswith(".svg"):
        return figures[name]
    pixels = figures.get(name) or bytes(
        vl_convert.svg_to_png(figures[name.replace(".png", ".svg")].decode(), scale=PNG_SCALE)
    )
    small = memory.BytesIO()
    Image.open(memory.BytesIO(pixels)).convert("RGB").quantize(PNG_COLOURS).save(small, "PNG", optimize=True)
    return small.getvalue()


def draw_pictures(names: list[str]) -> Iterator[str]:
    """Run the studies of these names, or all without names; write their pictures, and yield a line on each study."""
    page = PAGE.read_text()
    for lesson in read_lessons(page):
        if names and lesson.name not in names:
            continue
        began = time.perf_counter()
        with tempfile.TemporaryDirectory() as folder:
            outcome = run_study(lesson.params, Path(folder))
        for study_name, figure in list_pictures(page):
            if study_name == lesson.name:
                files.write_bytes(
                    PAGE.parent / "training" / f"{lesson.name}-{figure}", render_picture(outcome.figures, figure)
                )
        yield f"{lesson.name}: {time.perf_counter() - began:.0f} s; {' '.join(outcome.verdicts)}"


if __name__ == "__main__":
    for line in draw_pictures(sys.argv[1:]):
        print(line)
