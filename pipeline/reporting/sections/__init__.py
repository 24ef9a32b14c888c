"""The sections of the report, one file each, found by themselves.

A section has `TITLE`, `ORDER` (small first), `build_findings(tables)` and `build_figures(tables)`. One that is not for every study
has `is_applicable(tables)`, too.
"""

import importlib
import pkgutil
from functools import lru_cache
from typing import Protocol, cast

from thalweg.reporting.finding import Finding
from thalweg.reporting.page.figures import Figure
from thalweg.reporting.tables import StudyTables
from thalweg.system.files import UserError


class Section(Protocol):
    """What a file in this folder offers."""

    __name__: str
    TITLE: str
    ORDER: int

    def __hash__(self) -> int: ...

    def build_findings(self, tables: StudyTables) -> list[Finding]:
        """What is known now, the most important first."""

    def build_figures(self, tables: StudyTables) -> list[Figure]:
        """What it looks like."""


def get_section_name(section: Section) -> str:
    """A section's name in params.yaml: its file's."""
    return section.__name__.rpartition(".")[2]


def find_sections() -> list[Section]:
    """Every section there is, by ORDER, then by name."""
    modules = [importlib.import_module(f"{__name__}.{module.name}") for module in pkgutil.iter_modules(__path__)]
    return sorted(
        (cast(Section, module) for module in modules), key=lambda section: (section.ORDER, get_section_name(section))
    )


def select_sections(tables: StudyTables) -> list[Section]:
    """The sections that `report.sections` names, by file or by title, in its order; all of them where it names none.

    One that does not apply to the study is left out, named or not.
    """
    known = {get_section_name(section): section for section in find_sections()}
    titles = {section.TITLE.lower(): each for each, section in known.items()}
    wanted = [titles.get(str(each).lower(), each) for each in tables.setting("report.sections") or list(known)]
    if wrong := [each for each in wanted if each not in known]:
        raise UserError(f"report.sections: no section '{wrong[0]}'. There are: {', '.join(known)}")
    applying = [known[each] for each in wanted]
    return [section for section in applying if not hasattr(section, "is_applicable") or section.is_applicable(tables)]


@lru_cache(maxsize=64)
def collect_findings(section: Section, tables: StudyTables) -> tuple[Finding, ...]:
    """What a section finds, worked out once for page, Markdown and summary."""
    return tuple(section.build_findings(tables))


@lru_cache(maxsize=64)
def collect_figures(section: Section, tables: StudyTables) -> tuple[Figure, ...]:
    """What a section shows, worked out once."""
    return tuple(section.build_figures(tables))
