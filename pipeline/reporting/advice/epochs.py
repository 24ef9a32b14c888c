"""How many epochs: whether training should be longer or shorter, by the winner, or else by most trials."""

import math
from typing import Literal

from thalweg.reporting.analysis import ablation_effects, training_length, winner_end
from thalweg.reporting.tables import StudyTables
from thalweg.reporting.text import format_code

LengthChange = Literal["more", "try", "fewer", ""]
EPOCHS_SETTING = "training.epochs"
CHANGE_BY_ENDING: dict[winner_end.EndingKind, LengthChange] = {
    "improving": "more",
    "late": "try",
    "untold": "try",
    "past": "fewer",
    "enough": "",
}


def choose_length_change(tables: StudyTables, setting_name: str = EPOCHS_SETTING) -> LengthChange:
    """Whether `setting_name` should be more or fewer; `try`: only runs with more can tell; '': nothing speaks for either."""
    end = winner_end.find_winner_ending(tables)
    own = CHANGE_BY_ENDING[end.kind] if end and end.setting_name == setting_name else ""
    if setting_name == EPOCHS_SETTING and own in ("", "try") and training_length.find_short_training(tables):
        return "more"
    if setting_name == EPOCHS_SETTING and own == "" and training_length.find_long_training(tables):
        return "fewer"
    return own


def advise_winner_epochs(tables: StudyTables) -> str:
    """What to do about the length of the winner's training, where that itself says so."""
    end = winner_end.find_winner_ending(tables)
    if (
        end is None
        or not CHANGE_BY_ENDING[end.kind]
        or (end.kind == "untold" and choose_length_change(tables, end.setting_name) == "more")
    ):
        return ""
    return _advise_epochs(tables, end.setting_name)


def advise_trial_epochs(tables: StudyTables, change: LengthChange) -> str:
    """What to do about the length of the trials' training, where it is what a section found; '' where it is not."""
    return _advise_epochs(tables, EPOCHS_SETTING) if choose_length_change(tables) == change else ""


def advise_longer_training(tables: StudyTables) -> str:
    """What to do where something is left to learn; '' where nothing else speaks for longer training."""
    return _advise_epochs(tables, EPOCHS_SETTING) if choose_length_change(tables) in ("more", "try") else ""


def advise_regularization(tables: StudyTables) -> str:
    """What to do against overfitting: fewer epochs where they are too many, and what lets networks learn on."""
    return (
        _advise_epochs(tables, EPOCHS_SETTING)
        if choose_length_change(tables) == "fewer"
        else f"Regularize: {_list_regularizers(tables)}."
    )


def _advise_epochs(tables: StudyTables, setting_name: str) -> str:
    """What to do about `setting_name`; fewer epochs are those by which the winner and nine of ten trials were at their best."""
    end = winner_end.find_winner_ending(tables)
    own = end if end and end.setting_name == setting_name else None
    epochs = own.epochs if own else int(tables.curves["epoch"].max())
    match choose_length_change(tables, setting_name):
        case "more":
            return f"Train longer than {epochs} epochs ({format_code(setting_name)}), or let the rate fall (`schedule.kind: cosine`)."
        case "try":
            return (
                f"Only runs with more {format_code(setting_name)} than {epochs} can tell whether longer training helps."
            )
        case "fewer":
            trials = training_length.find_long_training(tables) if setting_name == EPOCHS_SETTING else None
            least = math.ceil(training_length.MIN_LENGTH_SHARE * epochs)
            fewer = _next_allowed_epochs(
                tables, max(own.latest_best if own else 0, trials.best_by_epoch if trials else 0, least)
            )
            shown = format_code(setting_name) if fewer >= epochs else f"`{setting_name}: {fewer}`"
            return f"Train for fewer epochs ({shown}), or regularize: {_list_regularizers(tables)}."
        case _:
            return ""


def _next_allowed_epochs(tables: StudyTables, epochs: int) -> int:
    """The next number of epochs that the file's other settings allow: validated at its end, past warm-up and rung."""
    warmups = [one.high for one in tables.parameters if one.name == "schedule.warmup"]
    warmup = max(float(tables.setting("schedule.warmup", 0)), *map(float, warmups), 0.0)
    first = int((tables.setting("study.prune") or {}).get("first", 0))
    every = int(tables.setting("training.validate_every") or 1)
    return every * math.ceil(max(epochs, first + 1, math.floor(warmup) + 1) / every)


def _list_regularizers(tables: StudyTables) -> str:
    """What lets a network learn on without overfitting, but for what was seen to do harm."""
    ways = {"images": "more images", "augmentation": "more augmentation"}
    helpful = [told for what, told in ways.items() if ablation_effects.judge_ablation(tables, what) != "better"]
    return f"{', '.join([*helpful, 'weight decay'])} or a smaller model"
