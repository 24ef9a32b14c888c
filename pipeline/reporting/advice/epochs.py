"""Advice on epochs: train longer or shorter, judged by the winner first, then by most trials."""

import math
from typing import Literal

from thalweg.reporting.advice.settings import format_settings
from thalweg.reporting.analysis import ablation_effects, training_length, winner_end
from thalweg.reporting.finding import Step
from thalweg.reporting.tables import StudyTables
from thalweg.reporting.text import format_code, format_count

LengthChange = Literal["more", "try", "fewer", ""]
EPOCHS_SETTING = "training.epochs"
FALL = {"schedule.kind": "cosine"}
"""Lets the learning rate fall to zero."""
CHANGE_BY_ENDING: dict[winner_end.EndingKind, LengthChange] = {
    "improving": "more",
    "late": "try",
    "unclear": "try",
    "past": "fewer",
    "enough": "",
}


def choose_length_change(tables: StudyTables, setting_name: str = EPOCHS_SETTING) -> LengthChange:
    """Choose how to change `setting_name`. `try`: only longer runs can show it; '': no evidence for a change."""
    end = winner_end.find_winner_ending(tables)
    change = CHANGE_BY_ENDING[end.kind] if end and end.setting_name == setting_name else ""
    if setting_name == EPOCHS_SETTING and change in ("", "try") and training_length.find_short_training(tables):
        return "more"
    if setting_name == EPOCHS_SETTING and change == "" and training_length.find_long_training(tables):
        return "fewer"
    return change


def may_winner_gain(tables: StudyTables) -> bool:
    """Return whether the winner's best epochs on fresh seeds leave a gain from longer training possible."""
    end = winner_end.find_winner_ending(tables)
    return end is not None and CHANGE_BY_ENDING[end.kind] in ("more", "try")


def advise_winner_epochs(tables: StudyTables) -> Step:
    """Advise on the winner's length of training, if its own curves give a reason."""
    end = winner_end.find_winner_ending(tables)
    if (
        end is None
        or not CHANGE_BY_ENDING[end.kind]
        or (end.kind == "unclear" and choose_length_change(tables, end.setting_name) == "more")
    ):
        return Step("")
    return _advise_epochs(tables, end.setting_name)


def advise_trial_epochs(tables: StudyTables, change: LengthChange) -> Step:
    """Advise `change` for the trials' length of training; '' if the overall choice is another."""
    return _advise_epochs(tables, EPOCHS_SETTING) if choose_length_change(tables) == change else Step("")


def advise_longer_training(tables: StudyTables) -> Step:
    """Advise to train longer; '' if nothing else speaks for it."""
    return _advise_epochs(tables, EPOCHS_SETTING) if choose_length_change(tables) in ("more", "try") else Step("")


def advise_regularization(tables: StudyTables) -> Step:
    """Advise against overfitting: fewer epochs if they are too many, and regularizers."""
    if choose_length_change(tables) == "fewer":
        return _advise_epochs(tables, EPOCHS_SETTING)
    return Step(f"Regularize: {_list_regularizers(tables)}.")


def advise_falling_rate() -> Step:
    """Advise a schedule that lets the learning rate fall."""
    return Step(f"Let the learning rate fall: {format_settings(FALL)}.", FALL)


def _advise_epochs(tables: StudyTables, setting_name: str) -> Step:
    """Advise on `setting_name`; `fewer` epochs cover the best epochs of the winner and of 90 % of the trials."""
    end = winner_end.find_winner_ending(tables)
    ending = end if end and end.setting_name == setting_name else None
    epochs = ending.epochs if ending else int(tables.curves["epoch"].max())
    length, code = format_count(epochs, "epoch"), format_code(setting_name)
    match choose_length_change(tables, setting_name):
        case "more":
            words = f"Train longer than {length} ({code}), or let the learning rate fall ({format_settings(FALL)})."
            return Step(words, FALL)
        case "try":
            return Step(f"Try more than {length} ({code}): only longer runs can show if they help.")
        case "fewer":
            trials = training_length.find_long_training(tables) if setting_name == EPOCHS_SETTING else None
            shortest = math.ceil(training_length.MIN_LENGTH_SHARE * epochs)
            fewer = _next_allowed_epochs(
                tables, max(ending.latest_best if ending else 0, trials.best_by_epoch if trials else 0, shortest)
            )
            patch = {} if fewer >= epochs else {setting_name: fewer}
            advice = format_settings(patch) if patch else code
            return Step(f"Train for fewer epochs ({advice}), or regularize: {_list_regularizers(tables)}.", patch)
        case _:
            return Step("")


def _next_allowed_epochs(tables: StudyTables, epochs: int) -> int:
    """Round epochs up to what other settings allow: a validation at the end, after the warm-up and the first rung."""
    warmups = [parameter.high for parameter in tables.parameters if parameter.name == "schedule.warmup"]
    warmup = max(float(tables.setting("schedule.warmup", 0)), *map(float, warmups), 0.0)
    first_rung = int((tables.setting("study.prune") or {}).get("first", 0))
    validate_every = int(tables.setting("training.validate_every") or 1)
    return validate_every * math.ceil(max(epochs, first_rung + 1, math.floor(warmup) + 1) / validate_every)


def _list_regularizers(tables: StudyTables) -> str:
    """List ways to regularize, without an ablated one that did harm."""
    regularizers = {"images": "more images", "augmentation": "more augmentation"}
    helpful = [
        advice
        for ablation, advice in regularizers.items()
        if ablation_effects.judge_ablation(tables, ablation) != "better"
    ]
    return f"{', '.join([*helpful, 'weight decay'])} or a smaller model"
