"""Say in a state folder whose it is: `thalweg clean` keeps what the workspace or a commit can still use."""

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from thalweg.artifacts.fingerprint import UNCOUNTED
from thalweg.artifacts.fresh_start import JOURNAL
from thalweg.artifacts.inputs import read_loaded_params
from thalweg.config.experiment import Config
from thalweg.config.params_file import parse_params
from thalweg.engine.state_folder import lock_state_folder
from thalweg.schema.problem import ParamsTree
from thalweg.system import files
from thalweg.system.paths import PARAMS

CARD = "made-for.json"
SECTIONS = ("seed", "data", "augment", "task", "model", "loss", "optimizer", "schedule", "training", "study")
"""Sections of params.yaml that make a study another one. What is done with its trials afterwards does not."""


@dataclass(frozen=True)
class StateCard:
    """What a state folder is for: the stage, the title of the report, and the experiments that have used it.

    An experiment is known by its names of `name_experiment`; the last one used the folder last.
    """

    stage: str
    title: str
    experiments: tuple[str, ...]


@contextmanager
def open_state(stage: str, config: Config, fingerprint: str) -> Iterator[Path]:
    """Lock the state folder of a fingerprint, as `lock_state_folder` does, and note in it what it is for."""
    with lock_state_folder(fingerprint) as folder:
        with suppress(files.UserError):  # without the note the folder is only kept longer
            _note_use(folder, stage, config.report.title, name_experiment(read_loaded_params().encode()))
        yield folder


def _note_use(folder: Path, stage: str, title: str, names: tuple[str, ...]) -> None:
    card = read_card(folder)
    others = [other for other in card.experiments if other not in names] if card else []
    files.write_json(folder / CARD, asdict(StateCard(stage, title, (*others, *names))))


def read_card(folder: Path) -> StateCard | None:
    """Read what a state folder is for; None if it does not say."""
    try:
        card = files.read_json(folder / CARD)
        return StateCard(str(card["stage"]), str(card["title"]), tuple(map(str, card["experiments"])))
    except (files.UserError, KeyError, TypeError):
        return None


def name_experiment(params: bytes) -> tuple[str, ...]:
    """Return names that params files of one study share, whatever its number of trials: two files share one or more.

    The first name is for the words of the file, the last for what they mean, with every default. A file that this
    version refuses, or whose own code is gone, has only the first. Raises `ParamsError` for a file that cannot be read.
    """
    tree, _ = parse_params(PARAMS, params)
    trees = [tree]
    with suppress(Exception):  # of any kind: own code may fail
        trees.append(Config.model_validate(tree).model_dump(mode="json"))
    return tuple(dict.fromkeys(map(_hash_sections, trees)))


def _hash_sections(tree: ParamsTree) -> str:
    """Return 16 digits of all that makes a study another one."""
    parts = {name: tree.get(name) for name in SECTIONS}
    for section, keys in UNCOUNTED.items():
        if isinstance(part := parts.get(section), dict):
            parts[section] = {key: value for key, value in part.items() if key not in keys}
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()[:16]


def count_trials(folder: Path) -> int:
    """Return the number of trials that a study has proposed so far; 0 for another stage. Nothing is mended."""
    if not files.path_exists(folder / JOURNAL):
        return 0
    proposed = {}
    for line in files.read_bytes(folder / JOURNAL).splitlines():
        with suppress(ValueError, TypeError, KeyError):  # a damaged line, or one about something else
            entry = json.loads(line)["value"]
            proposed[entry["cohort"]] = len(entry["proposed"])
    return sum(proposed.values())
