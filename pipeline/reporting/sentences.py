"""Sentences, and parts of them, that several sections show."""

import re

from thalweg.reporting.tables import StudyTables
from thalweg.reporting.text import format_count, format_number
from thalweg.stats.samples import SeedNoise


def add_article(name: str) -> str:
    """Return a candidate's name with the article it needs in a sentence."""
    return name if name.startswith("runner-up") else f"the {name}"


def refer_to_section(title: str, content: str) -> str:
    """Return the sentence that ends a step whose material is in the section of this title."""
    return f"The section {title} shows {content}."


def drop_reference(step: str, title: str) -> str:
    """Remove the sentence of `refer_to_section` from a step that stands in this very section."""
    return re.sub(rf" ?The section {re.escape(title)} shows [^.]*\.", "", step)


def describe_noise(noise: SeedNoise, metric: str) -> str:
    """Describe the noise of one trial's metric from seed to seed."""
    spread = format_number(noise.std, 2)
    noise_text = f"{metric} on the validation set varies from seed to seed with a standard deviation of {spread}."
    if noise.excludes_shared:
        shared = "This leaves out what a seed does to all trials alike: they share seeds, so it changes no order."
        return f"One trial's {noise_text} {shared}"
    return f"One trial's {noise_text}"


def describe_unknown_noise(tables: StudyTables) -> str:
    """Say why the noise of a trial is not known, if candidates were retrained for other epochs."""
    if tables.has_same_epochs:
        return "The seed noise is not known."
    epochs = "a searched number of" if tables.is_epochs_searched else tables.setting("training.epochs")
    return (
        f"Trials trained for {epochs} epochs, but candidates were retrained for {tables.setting('confirm.epochs')} "
        "(`confirm.epochs`): the noise of a trial is not known."
    )


def describe_epoch(epoch: int | None) -> str:
    """Describe the epoch at which trials are compared; None is the end of training."""
    return "at the end of training" if epoch is None else f"by epoch {epoch}"


def describe_outliers(outliers: int, constant: int) -> str:
    """Describe how many values lie outside a chart, `constant` of them from trials that learned nothing; '' if none."""
    if not outliers:
        return ""
    verb = "is" if outliers == 1 else "are"
    if constant == outliers:
        return f"{format_count(constant, 'trial')} that learned nothing {verb} drawn at the edge."
    note = f"; {constant} of them from trials that learned nothing" if constant else ""
    return f"{format_count(outliers, 'value')} far outside {verb} drawn at the edge{note}."
