"""What a section of the report claims."""

from thalweg.reporting.sections import Section
from thalweg.reporting.tables import StudyTables


def list_verdicts(section: Section, tables: StudyTables) -> list[str]:
    """Return the verdicts of a section's findings, in order."""
    return [finding.verdict for finding in section.build_findings(tables)]
