"""How many seeds: of a trial, and of what is trained again with less."""

from thalweg.reporting.tables import StudyTables


def advise_study_seeds(tables: StudyTables) -> str:
    """What `study.seeds` would show more than is seen now: four times as many halve a standard deviation."""
    seeds = 4 * max(1, int(tables.setting("study.seeds", 1)))
    return f"`study.seeds: {seeds}` would halve the noise of a trial, and show smaller differences."


def advise_diagnose_seeds(tables: StudyTables) -> str:
    """Which seeds to raise so that runs with less are told apart: they are the first of those that are confirmed."""
    confirmed, diagnosed = (int(tables.setting(f"{part}.seeds", 0)) for part in ("confirm", "diagnose"))
    both = "`confirm.seeds` and " if 0 < confirmed <= diagnosed else ""
    return f"Raise {both}`diagnose.seeds` to tell smaller effects of images, augmentation and loss terms."
