"""Advice on seeds, of trials and of ablations."""

from thalweg.reporting.advice.settings import format_settings
from thalweg.reporting.finding import Step
from thalweg.reporting.tables import StudyTables


def advise_study_seeds(tables: StudyTables) -> Step:
    """Advise four times as many `study.seeds`, which halve a standard deviation."""
    patch = {"study.seeds": 4 * max(1, int(tables.setting("study.seeds", 1)))}
    reason = "it halves the noise of a trial, so smaller differences show; it takes four times as long"
    return Step(f"Set {format_settings(patch)}: {reason}.", patch)


def advise_diagnose_seeds() -> str:
    """Advise more seeds for ablations."""
    return "Raise `diagnose.seeds` to detect smaller effects of images, augmentation and loss terms."
