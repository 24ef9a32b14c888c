"""Sentences, and parts of them, that several sections show."""

import math
import re
import string
from collections.abc import Sequence
from typing import Any

from thalweg.reporting.tables import StudyTables
from thalweg.reporting.text import format_count, format_number, join_items
from thalweg.stats.run_curves import MIN_VALIDATIONS, Evidence
from thalweg.stats.samples import SeedNoise

STATE_LABELS = {
    "complete": "complete",
    "pruned": "stopped early",
    "infeasible": "beyond a limit",
    "diverged": "diverged",
}
"""States of trials in words, in the order of tables."""

CURVE_EVIDENCE = {
    "diverged": (
        "the loss was no longer finite",
        " at step {step}",
        " in epoch {epoch}",
        " at a learning rate of {rate:.3g}",
        "; the last finite training loss was {last_loss:.3g}",
    ),
    "too short": (f"{{validations}} validations; at least {MIN_VALIDATIONS} are needed to see a trend",),
    "overfitting": (
        "validation loss was best ({best:.3g}) around epoch {epoch} and rose to {end:.3g}; fluctuation between "
        "validations explains {fluctuation:.2g}; training loss fell further, from {train_at_best:.3g} to "
        "{train_end:.3g}",
    ),
    "explosion": (
        "training loss was {start:.3g} before training, reached {worst:.3g} in epoch {epoch} and ended at {end:.3g}, "
        "at a learning rate up to {rate:.3g}",
    ),
    "rebounds": (
        "each restart of the schedule, to a learning rate up to {rate:.3g}, undoes {percent:.0f} % or more of the fall "
        "of training loss so far; from the end of the first cycle (epoch {first_epoch}) to that of the last (epoch "
        "{last_epoch}), validation loss goes from {first:.3g} to {last:.3g}",
    ),
    "lost cycles": (
        "at the ends of the schedule's cycles, validation loss was best ({best:.3g}) in epoch {epoch} and ended at "
        "{end:.3g}; training loss rose, too, from {train_at_best:.3g} to {train_end:.3g}, at a learning rate up to "
        "{rate:.3g}",
    ),
    "overfitting cycles": (
        "at the ends of the schedule's cycles, validation loss was best ({best:.3g}) in epoch {epoch} and rose to "
        "{end:.3g}; training loss fell further, from {train_at_best:.3g} to {train_end:.3g}",
    ),
    "rise": (
        "validation loss was {first:.3g} at the first validation, and averaged {mean:.3g} over epochs {first_epoch} to "
        "{last_epoch}, at a learning rate of {high_rate:.3g} or more; it fell to {end:.3g} at {low_rate:.3g} or less",
    ),
    "plateau": (
        "training loss averaged {plateau:.3g} over epochs {first_epoch} to {last_epoch}, at a learning rate of "
        "{high_rate:.3g} or more; it fell to {end:.3g} at {low_rate:.3g} or less: {percent:.0f} % of its whole fall "
        "came only then",
    ),
    "swings": (
        "validation loss swings by {swing:.3g} around {mean:.3g} between validations",
        ", batch losses by {batch_spread:.3g} within an epoch",
        ", at a learning rate of {rate:.3g}; from epoch {first_epoch} ({first:.3g}) to epoch {last_epoch} ({last:.3g}) "
        "it falls by no more than such swings explain",
        "; at the first validation it was {initial:.3g}",
    ),
    "straight fall": (
        "training loss fell from {first:.3g} to {last:.3g} at a learning rate up to {rate:.3g}; in the second "
        "half it still fell at {percent:.0f} % of the first half's speed (halves and speed by the sum of learning "
        "rates)",
        "; but {others} trials at {low_ratio} to {high_ratio} times this rate reached no better {metric}: {median} in "
        "the median, against {value} of this trial",
    ),
    "improving": (
        "over the last {validations} validations, the mean of {metric} went from {before:.3g} (first half) to "
        "{last:.3g} (second half); fluctuation between validations explains {fluctuation:.2g}",
    ),
    "cycles": (
        "{metric} was {before:.3g} at the end of one cycle of the schedule (epoch {before_epoch}) and {last:.3g} at "
        "the end of the next (epoch {last_epoch}); a gain within {allowed:.2g} counts as none",
    ),
    "rest": (
        "the mean of {metric} was {third:.3g} in the third fifth of the way (the sum of learning rates), {fourth:.3g} "
        "in the fourth, and {last:.3g} at the end; there the learning rate is down from {high_rate:.3g} to "
        "{low_rate:.3g}",
    ),
    "level": (
        "from epoch {epoch} on, {metric}, averaged over 3 validations, stays within {allowed:.2g}",
        " ({times} times its fluctuation between validations)",
        " ({percent} % of its range)",
        " of its last level, {level:.3g}",
    ),
    "same answer": (
        "{metric} ends at {value}, as in {others} other trials: the network gives every example the same answer",
    ),
}
"""The words for the evidence of a verdict on curves, by its rule; a part shows only if all its numbers are known."""


class _NumberFormatter(string.Formatter):
    """Formats a number without a format of its own as the report does."""

    def format_field(self, value: Any, format_spec: str) -> str:
        return format(value, format_spec) if format_spec else format_number(value)


def describe_evidence(evidence: Evidence, metric: str) -> str:
    """Describe the evidence of a verdict on curves, without a full stop; `metric` is the objective's name in words."""
    formatter, known = _NumberFormatter(), {**evidence.numbers, "metric": metric}
    return "".join(
        formatter.vformat(part, (), known)
        for part in CURVE_EVIDENCE[evidence.rule]
        if {name for _, name, _, _ in formatter.parse(part) if name} <= known.keys()
    )


def add_article(name: str) -> str:
    """Return a candidate's name with the article it needs in a sentence."""
    return name if name.startswith("runner-up") else f"the {name}"


def refer_to_section(title: str, content: str) -> str:
    """Return the sentence that ends a step whose material is in the section of this title."""
    return f"The section {title} shows {content}."


def drop_reference(step: str, title: str = "") -> str:
    """Remove the sentence of `refer_to_section` from a step that stands in this very section; without one, any."""
    return re.sub(rf" ?The section {re.escape(title) or '[^.]*'} shows [^.]*\.", "", step)


def describe_noise(noise: SeedNoise, metric: str) -> str:
    """Describe the noise of one trial's metric from seed to seed."""
    spread = format_number(noise.std, 2)
    if noise.excludes_shared:
        difference = format_number(math.sqrt(2) * noise.std, 2)
        return (
            f"From seed to seed, the difference of two trials in {metric} on the validation set varies with a standard "
            f"deviation of {difference}: {spread} for each. What a seed does to all trials alike is left out, because "
            "it changes no order."
        )
    return f"One trial's {metric} on the validation set varies from seed to seed with a standard deviation of {spread}."


def describe_unknown_noise(tables: StudyTables) -> str:
    """Say why the noise of a trial is not known, if candidates were retrained for other epochs."""
    if tables.has_same_epochs:
        return "The seed noise is not known."
    epochs = "a searched number of" if tables.is_epochs_searched else tables.setting("training.epochs")
    return (
        f"Trials trained for {epochs} epochs, but candidates were retrained for {tables.setting('confirm.epochs')} "
        "(`confirm.epochs`), so their spread says nothing of a trial's."
    )


def refer_to_fresh_seeds(tables: StudyTables) -> str:
    """Say, after a space, where trials that the search ranks have fresh seeds; '' if none was retrained."""
    retrained = 0 if tables.runs.empty else tables.runs["trial"].nunique()
    if not retrained:
        return ""
    seeds, fresh = tables.seeds_per_trial, tables.runs["seed"].nunique()
    shown = "compares the retrained trials" if retrained > 1 else "has the one retrained trial"
    return (
        f" The search gave each trial {format_count(seeds, 'seed')}; the section Result {shown} on "
        f"{format_count(fresh, 'fresh seed')}."
    )


def describe_joint_intervals(count: int) -> str:
    """Describe what intervals of differences that were judged together mean, after a space; '' for a single one."""
    if count < 2:
        return ""
    return f" The intervals hold for {count} differences at once: in 95 % of studies, none wrongly leaves out 0."


def describe_epoch(epoch: int | None) -> str:
    """Describe the epoch at which trials are compared; None is the end of training."""
    return "at the end of training" if epoch is None else f"by epoch {epoch}"


def describe_outliers(trials: Sequence[int], constant: int) -> str:
    """Describe which trials lie beyond a chart's range, `constant` of them learned nothing; '' if none."""
    if not trials:
        return ""
    is_one, note = len(trials) == 1, f" {constant} of them learned nothing." if constant else ""
    if constant == len(trials):
        note = f" {'It' if is_one else 'They'} learned nothing."
    name, verb = ("Trial", "lies") if is_one else ("Trials", "lie")
    edge = f"{'is' if is_one else 'are'} drawn at its edge"
    return f"{name} {join_items(trials)} {verb} beyond the range of this chart, and {edge}.{note}"
