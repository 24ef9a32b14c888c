"""Whose a state folder is: which params files are of one study, and what is noted in the folder."""

from copy import deepcopy
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.helpers.small_study import set_values
from tests.helpers.tiny_pipeline import TREE, write_params
from thalweg.artifacts.state_card import CARD, StateCard, count_trials, name_experiment, open_state, read_card
from thalweg.config.load import load_config
from thalweg.engine.state_folder import Journal
from thalweg.system.paths import PARAMS, STATE_FOLDER


def dump(changes: dict[str, Any]) -> bytes:
    tree = deepcopy(TREE)
    set_values(tree, changes)
    text = StringIO()
    YAML(typ="rt").dump(tree, text)
    return text.getvalue().encode()


def is_shared(params: bytes, others: bytes) -> bool:
    return not set(name_experiment(params)).isdisjoint(name_experiment(others))


@pytest.mark.parametrize(
    ("changes", "is_same"),
    [
        ({"study.trials": 400}, True),
        ({"study.name": "other"}, True),
        ({"confirm.seeds": 9}, True),
        ({"report.title": "Other"}, True),
        ({"data.path": "elsewhere"}, True),
        ({"seed": 2}, False),
        ({"optimizer.learning_rate": 0.5}, False),
        ({"study.cohort": 4}, False),
    ],
    ids=str,
)
def test_experiment_is_what_makes_another_study(changes: dict[str, Any], is_same: bool) -> None:
    assert is_shared(dump(changes), dump({})) == is_same


def test_default_that_is_written_out_names_no_other_experiment() -> None:
    assert "patience" not in TREE["training"]
    assert is_shared(dump({"training.patience": 0}), dump({}))
    assert not is_shared(dump({"training.patience": 1}), dump({}))


def test_file_that_this_version_refuses_has_a_name() -> None:
    refused = dump({"training.gone": 1})
    assert len(name_experiment(refused)) == 1
    assert is_shared(refused, b"# mine\n" + refused)
    assert not is_shared(refused, dump({"training.gone": 2}))


def test_comments_and_order_name_no_other_experiment() -> None:
    reordered = dict(reversed(TREE.items()))
    text = StringIO()
    YAML(typ="rt").dump(reordered, text)
    assert name_experiment(b"# mine\n" + text.getvalue().encode()) == name_experiment(dump({}))


def test_folder_says_who_used_it(empty_folder: Path) -> None:
    names = []
    for seed in (1, 2, 1):
        write_params({**TREE, "seed": seed})
        names.append(name_experiment(PARAMS.read_bytes()))
        with open_state("study", load_config(PARAMS), "0" * 16) as folder:
            pass
    assert empty_folder / folder == empty_folder / STATE_FOLDER / ("0" * 16)
    assert read_card(folder) == StateCard("study", "Few people", (*names[1], *names[0]))


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"stage": "study", "title": "A"}', "\0"])
def test_damaged_card_says_nothing_and_is_made_anew(content: str, empty_folder: Path) -> None:
    write_params(TREE)
    folder = empty_folder / STATE_FOLDER / ("0" * 16)
    folder.mkdir(parents=True)
    assert read_card(folder) is None
    (folder / CARD).write_text(content)
    assert read_card(folder) is None
    with open_state("study", load_config(PARAMS), folder.name):
        pass
    assert read_card(folder) is not None


def test_trials_are_counted_and_nothing_is_mended(tmp_path: Path) -> None:
    assert count_trials(tmp_path) == 0
    journal = Journal(tmp_path)
    journal.record_proposals(0, [{"a": 1}, {"a": 2}])
    journal.record_seconds(3.0)
    journal.record_proposals(1, [{"a": 3}])
    file = tmp_path / "journal.jsonl"
    file.write_bytes(file.read_bytes() + b'{"number": 4, "val')
    before = file.read_bytes()
    assert count_trials(tmp_path) == 3
    assert file.read_bytes() == before
