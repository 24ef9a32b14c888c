"""Advice on seeds, of trials and of ablations."""

from thalweg.reporting.tables import StudyTables


def advise_study_seeds(tables: StudyTables) -> str:
    """Advise four times as many `study.seeds`, which halve a standard deviation."""
    seeds = 4 * max(1, int(tables.setting("study.seeds", 1)))
    reason = "it halves the noise of a trial, so smaller differences show; it takes four times as long"
    return f"Set `study.seeds: {seeds}`: {reason}."


def advise_diagnose_seeds() -> str:
    """Advise more seeds for ablations."""
    return "Raise `diagnose.seeds` to detect smaller effects of images, augmentation and loss terms."
