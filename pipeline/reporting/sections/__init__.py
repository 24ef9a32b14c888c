"""The sections of the report, one file each, discovered by import.

A section has `TITLE`, `ORDER` (small first), `build_findings(tables)` and `build_figures(tables)`. A section that does
not suit every study has `is_applicable(tables)`, too.
"""

import importlib
import pkgutil
from functools import lru_cache
from typing import Protocol, cast, runtime_checkable

from thalweg.reporting.finding import Finding
from thalweg.reporting.page.figures import Figure
from thalweg.reporting.tables import StudyTables
from thalweg.system.files import UserError


class Section(Protocol):
    """The interface of a file in this folder."""

    __name__: str
    TITLE: str
    ORDER: int

    def __hash__(self) -> int: ...

    def build_findings(self, tables: StudyTables) -> list[Finding]:
        """Return the findings, the most important first."""

    def build_figures(self, tables: StudyTables) -> list[Figure]:
        """Return the figures in order."""


@runtime_checkable
class ConditionalSection(Section, Protocol):
    """A section that does not suit every study."""

    def is_applicable(self, tables: StudyTables) -> bool:
        """Say whether the section suits the study."""


def get_section_name(section: Section) -> str:
    """Return a section's name in params.yaml: its file name."""
    return section.__name__.rpartition(".")[2]


def find_sections() -> list[Section]:
    """Return all sections, sorted by ORDER, then by name."""
    modules = (importlib.import_module(f"{__name__}.{module.name}") for module in pkgutil.iter_modules(__path__))
    sections = [cast(Section, module) for module in modules]
    return sorted(sections, key=lambda section: (section.ORDER, get_section_name(section)))


def select_sections(tables: StudyTables) -> list[Section]:
    """Return the sections that `report.sections` names by file or title, in its order, each once; all if it names none.

    Sections that do not apply to the study are left out, even if named.
    """
    sections = {get_section_name(section): section for section in find_sections()}
    by_title = {section.TITLE.lower(): name for name, section in sections.items()}
    names = [by_title.get(str(name).lower(), name) for name in tables.setting("report.sections") or list(sections)]
    if unknown := [name for name in names if name not in sections]:
        raise UserError(f"report.sections: no section '{unknown[0]}'. Available: {', '.join(sections)}")
    selected = [sections[name] for name in dict.fromkeys(names)]
    return [s for s in selected if not isinstance(s, ConditionalSection) or s.is_applicable(tables)]


@lru_cache(maxsize=64)
def collect_findings(section: Section, tables: StudyTables) -> tuple[Finding, ...]:
    """Return the findings of a section, computed once for page, Markdown and summary."""
    return tuple(section.build_findings(tables))


@lru_cache(maxsize=64)
def collect_figures(section: Section, tables: StudyTables) -> tuple[Figure, ...]:
    """Return the figures of a section, computed once."""
    return tuple(section.build_figures(tables))
