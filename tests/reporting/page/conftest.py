"""The pages that a browser opens."""

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from tests.helpers.browser import MANY_TRIALS, PageFile
from thalweg.reporting.render import render_html
from thalweg.reporting.sections import select_sections
from thalweg.reporting.tables import StudyTables


@pytest.fixture(scope="session")
def page_file(
    studies_by_case: dict[str, StudyTables],
    draw_counting_study: Callable[[int], StudyTables],
    tmp_path_factory: pytest.TempPathFactory,
) -> PageFile:
    """Write the page of a kind of study, once."""
    folder = tmp_path_factory.mktemp("pages")

    @cache
    def write_page(case: str) -> Path:
        tables = draw_counting_study(MANY_TRIALS) if case == "many" else studies_by_case[case]
        path: Path = folder / f"{case.replace(' ', '-')}.html"
        path.write_text(render_html(tables, select_sections(tables)))
        return path

    return write_page
