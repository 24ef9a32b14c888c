"""The sections of the report, one file each, discovered by import.

A section has `TITLE`, `ORDER` (small first), `build_findings(tables)` and `build_figures(tables)`. A section that does
not suit every study has `is_applicable(tables)`, too. A user's own section is a module at a dotted path.
"""

import importlib
import pkgutil
from collections.abc import Iterable
from functools import lru_cache
from types import ModuleType
from typing import Any, Protocol, cast, runtime_checkable

from thalweg.reporting.finding import Finding
from thalweg.reporting.page.figures import Figure
from thalweg.reporting.rewording import reword_figures, reword_findings
from thalweg.reporting.tables import StudyTables
from thalweg.system.files import UserError
from thalweg.system.members import MemberError, import_member, is_dotted, run_own_code


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


def load_own_sections(paths: Iterable[str]) -> dict[str, Section]:
    """Import the user's sections at dotted paths, each once. Raises `MemberError`."""
    loaded: dict[str, Section] = {}
    for path in dict.fromkeys(paths):
        loaded[path] = load_own_section(path, loaded.values())
    return loaded


def load_own_section(path: str, before: Iterable[Section] = ()) -> Section:
    """Import the user's section at a dotted path, after the own ones `before` it. Raises `MemberError`."""
    # JAX, which the report of another program's study does without
    from thalweg.core import own_functions

    section = import_member(path)
    if not isinstance(section, ModuleType):
        raise MemberError(path, "is no module; a section is a file with a `TITLE` and functions")
    if not isinstance(getattr(section, "TITLE", None), str) or not isinstance(getattr(section, "ORDER", None), int):
        raise MemberError(path, "needs a `TITLE`, which is text, and an `ORDER`, a whole number: small ones come first")
    protocol = own_functions.Protocol("a section's function", ("tables",), lambda result, _tables: result)
    functions = ("build_findings", "build_figures", *(["is_applicable"] if hasattr(section, "is_applicable") else []))
    for name in functions:
        if not callable(getattr(section, name, None)):
            raise MemberError(path, f"needs a function `{name}(tables)`")
        own_functions.check_function(f"{path}.{name}", getattr(section, name), protocol)
    for other in (*find_sections(), *before):
        if get_section_name(section) == get_section_name(other) or section.TITLE.lower() == other.TITLE.lower():
            owner = other.__name__.removeprefix(f"{__name__}.")
            raise MemberError(path, f"has the name or the title of the section `{owner}`; give it another one")
    return cast(Section, section)


def select_sections(tables: StudyTables) -> list[Section]:
    """Return the sections that `report.sections` names by file or title, in its order, each once; all if it names none.

    If it names only own sections, they join all others, by ORDER. Sections that do not apply to the study are left out,
    even if named.
    """
    listed = [str(name) for name in tables.setting("report.sections") or ()]
    own = load_own_sections(filter(is_dotted, listed))
    sections = {get_section_name(section): section for section in find_sections()} | own
    by_title = {section.TITLE.lower(): name for name, section in sections.items()}
    in_order = sorted(sections, key=lambda name: (sections[name].ORDER, name))
    names = [by_title.get(name.lower(), name) for name in (in_order if own.keys() == {*listed} else listed)]
    if unknown := [name for name in names if name not in sections]:
        raise UserError(f"report.sections: no section '{unknown[0]}'. Available: {', '.join(sections)}")
    selected = [sections[name] for name in dict.fromkeys(names)]
    return [s for s in selected if not isinstance(s, ConditionalSection) or _is_applicable(s, tables)]


def _is_applicable(section: ConditionalSection, tables: StudyTables) -> bool:
    return bool(run_own_code(section.__name__, section.is_applicable, tables))


@lru_cache(maxsize=64)
def collect_findings(section: Section, tables: StudyTables) -> tuple[Finding, ...]:
    """Return the findings of a section, computed once for page, Markdown and summary."""
    return reword_findings(tables, _build_parts(section, "build_findings", tables, Finding))


@lru_cache(maxsize=64)
def collect_figures(section: Section, tables: StudyTables) -> tuple[Figure, ...]:
    """Return the figures of a section, computed once."""
    return reword_figures(tables, _build_parts(section, "build_figures", tables, Figure))


def _build_parts(section: Section, function: str, tables: StudyTables, kind: Any) -> tuple[Any, ...]:
    """Return what a function of a section builds. Raises `MemberError` if an own one fails or builds something else."""
    build = getattr(section, function)
    if section.__name__.startswith("thalweg."):
        return tuple(build(tables))
    built = run_own_code(section.__name__, build, tables)
    if not isinstance(built, list | tuple) or not all(isinstance(part, kind) for part in built):
        raise MemberError(section.__name__, f"returns something else from `{function}` than a list of them")
    return tuple(built)
