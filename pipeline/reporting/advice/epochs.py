"""How many epochs: whether training should be longer or shorter, by the winner, or else by most trials."""

import math
from typing import Literal

from thalweg.reporting.analysis import ablation_effects, training_length, winner_end
from thalweg.reporting.tables import StudyTables
from thalweg.reporting.text import code

Way = Literal["more", "try", "fewer", ""]
NAME = "training.epochs"
WAYS: dict[winner_end.Kind, Way] = {"improving": "more", "late": "try", "untold": "try", "past": "fewer", "enough": ""}


def way(tables: StudyTables, name: str = NAME) -> Way:
    """Whether `name` should be more or fewer; `try`: only runs with more can tell; '': nothing speaks for either."""
    end = winner_end.of(tables)
    own = WAYS[end.kind] if end and end.name == name else ""
    if name == NAME and own in ("", "try") and training_length.too_short(tables):
        return "more"
    if name == NAME and own == "" and training_length.too_long(tables):
        return "fewer"
    return own


def of_winner(tables: StudyTables) -> str:
    """What to do about the length of the winner's training, where that itself says so."""
    end = winner_end.of(tables)
    if end is None or not WAYS[end.kind] or (end.kind == "untold" and way(tables, end.name) == "more"):
        return ""
    return _step(tables, end.name)


def of_trials(tables: StudyTables, wanted: Way) -> str:
    """What to do about the length of the trials' training, where it is what a section found; '' where it is not."""
    return _step(tables, NAME) if way(tables) == wanted else ""


def longer(tables: StudyTables) -> str:
    """What to do where something is left to learn; '' where nothing else speaks for longer training."""
    return _step(tables, NAME) if way(tables) in ("more", "try") else ""


def regularize(tables: StudyTables) -> str:
    """What to do against overfitting: fewer epochs where they are too many, and what lets networks learn on."""
    return _step(tables, NAME) if way(tables) == "fewer" else f"Regularize: {_more_to_learn(tables)}."


def _step(tables: StudyTables, name: str) -> str:
    """What to do about `name`; fewer epochs are those by which the winner and nine of ten trials were at their best."""
    end = winner_end.of(tables)
    own = end if end and end.name == name else None
    epochs = own.epochs if own else int(tables.curves["epoch"].max())
    match way(tables, name):
        case "more":
            return f"Train longer than {epochs} epochs ({code(name)}), or let the rate fall (`schedule.kind: cosine`)."
        case "try":
            return f"Only runs with more {code(name)} than {epochs} can tell whether longer training helps."
        case "fewer":
            trials = training_length.too_long(tables) if name == NAME else None
            least = math.ceil(training_length.LEAST * epochs)
            fewer = _allow(tables, max(own.latest if own else 0, trials.until if trials else 0, least))
            shown = code(name) if fewer >= epochs else f"`{name}: {fewer}`"
            return f"Train for fewer epochs ({shown}), or regularize: {_more_to_learn(tables)}."
        case _:
            return ""


def _allow(tables: StudyTables, epochs: int) -> int:
    """The next number of epochs that the file's other settings allow: validated at its end, past warm-up and rung."""
    warmups = [one.high for one in tables.parameters if one.name == "schedule.warmup"]
    warmup = max(float(tables.setting("schedule.warmup", 0)), *map(float, warmups), 0.0)
    first = int((tables.setting("study.prune") or {}).get("first", 0))
    every = int(tables.setting("training.validate_every") or 1)
    return every * math.ceil(max(epochs, first + 1, math.floor(warmup) + 1) / every)


def _more_to_learn(tables: StudyTables) -> str:
    """What lets a network learn on without overfitting, but for what was seen to do harm."""
    ways = {"images": "more images", "augmentation": "more augmentation"}
    helpful = [told for what, told in ways.items() if ablation_effects.verdict(tables, what) != "better"]
    return f"{', '.join([*helpful, 'weight decay'])} or a smaller model"
