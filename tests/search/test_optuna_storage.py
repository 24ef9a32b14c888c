"""Optuna's storage as a view of a study."""

import multiprocessing
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import optuna
import pytest

from tests.helpers.stored_studies import (
    FINGERPRINT,
    build_trial,
    build_trials,
    load_numbers,
    load_trials,
    open_storage,
    publish_all,
    slow_down,
)
from thalweg.config.experiment import Config
from thalweg.search import storage_place
from thalweg.search.distributions import build_distributions
from thalweg.search.optuna_storage import StoredStudy, add_trials, open_study
from thalweg.search.publisher import Publisher
from thalweg.search.trials import Trial, copy_trial
from thalweg.system.files import UserError


@pytest.fixture(params=["default", "sqlite", pytest.param("postgres", marks=pytest.mark.slow)])
def each_storage(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Each kind of storage in turn, in a folder of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("THALWEG_STORAGE", raising=False)
    Path(".thalweg").mkdir()
    if request.param == "sqlite":
        monkeypatch.setenv("THALWEG_STORAGE", f"sqlite:///{tmp_path / 'other.db'}")
    if request.param == "postgres":
        monkeypatch.setenv("THALWEG_STORAGE", request.getfixturevalue("server").url)
    yield
    storage = open_storage()
    for study in optuna.get_all_study_names(storage):
        optuna.delete_study(study_name=study, storage=storage)


@pytest.mark.usefixtures("each_storage")
def test_cohorts_are_added_in_order(config: Config) -> None:
    config = config.replace_values({"study.name": "rates é"})
    trials = [
        build_trial(0, 0.01, 1.5),
        build_trial(1, 0.05, None),
        build_trial(2, 0.02, 1.25),
        build_trial(3, 0.03, 1.75, pruned=2),
    ]
    trials.append(copy_trial(trials[2], 4, trials[2].outcome.values))
    for _ in range(2):
        with Publisher(config, FINGERPRINT) as publisher:
            publisher.on_cohort(trials[:2])
            publisher.on_cohort(trials)
    stored = load_trials("rates é abcdef")
    assert [trial.number for trial in stored] == [0, 1, 2, 3, 4]
    assert [trial.state.name for trial in stored] == ["COMPLETE", "PRUNED", "COMPLETE", "PRUNED", "COMPLETE"]
    assert [trial.user_attrs for trial in stored] == [{}, {}, {}, {}, {"same_as": 2}]
    assert (stored[4].value, stored[4].params) == (stored[2].value, stored[2].params)
    assert stored[2].value == 1.25
    assert stored[2].params == trials[2].outcome.values
    assert stored[2].intermediate_values == {1: 2.0, 2: 1.25}
    assert stored[2].constraints == {"bias": 0.5}
    assert stored[3].intermediate_values == {1: 2.0, 2: 1.75}


def test_storage_matches_optuna(config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("THALWEG_STORAGE", raising=False)
    outcome = build_trial(0, 0.01, 1.5).outcome
    with Publisher(config, FINGERPRINT) as publisher:
        publisher.on_cohort([Trial(outcome, ())])
    study = optuna.create_study()
    with pytest.warns(optuna.exceptions.ExperimentalWarning):
        study.set_metric_names([config.study.objective])
    study.add_trial(
        optuna.trial.create_trial(
            value=1.5,
            params=outcome.values,
            distributions=build_distributions(config),
            intermediate_values=dict(outcome.intermediate),
            system_attrs={"constraints:bias": 0.5},
        )
    )
    stored = optuna.load_study(study_name=f"{config.study.name} abcdef", storage=open_storage())
    assert stored.metric_names == study.metric_names
    assert stored.directions == study.directions
    (published,), (trial,) = stored.trials, study.trials
    for part in ("number", "state", "values", "params", "distributions", "intermediate_values", "system_attrs"):
        assert getattr(published, part) == getattr(trial, part)
    assert published.datetime_complete
    assert published.datetime_start
    assert published.datetime_complete >= published.datetime_start


def test_storage_url_from_environment(config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("THALWEG_STORAGE", f"sqlite:///{tmp_path / 'other.db'}")
    with Publisher(config, FINGERPRINT) as publisher:
        publisher.on_cohort([build_trial(0, 0.01, 1.5)])
    assert (tmp_path / "other.db").exists()
    assert not Path(".thalweg/studies.db").exists()


@pytest.mark.usefixtures("each_storage")
def test_two_runs_write_each_trial_once(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    slow_down(monkeypatch, 0.2)
    outcomes = [trial.outcome for trial in build_trials(4)]
    studies = [open_study(config, FINGERPRINT) for _ in range(2)]
    assert studies[0].number == studies[1].number
    with ThreadPoolExecutor(2) as threads:
        list(threads.map(lambda study: add_trials(study, config, outcomes), studies))
    assert load_numbers(f"{config.study.name} abcdef") == [0, 1, 2, 3]


@pytest.mark.slow
@pytest.mark.usefixtures("each_storage")
def test_clones_write_each_trial_once(config: Config, tmp_path: Path) -> None:
    spawn = multiprocessing.get_context("spawn")
    ready = spawn.Barrier(3)
    is_shared = storage_place.is_chosen()
    folders = [tmp_path / name if is_shared else tmp_path for name in ("one", "two", "three")]
    for folder in folders:
        folder.mkdir(exist_ok=True)
    clones = [spawn.Process(target=publish_all, args=(folder, ready)) for folder in folders]
    for clone in clones:
        clone.start()
    for clone in clones:
        clone.join()
    assert [clone.exitcode for clone in clones] == [0, 0, 0]
    assert load_numbers(f"{config.study.name} abcdef") == list(range(8))
    assert optuna.get_all_study_names(open_storage()) == [f"{config.study.name} abcdef"]


def read_contents(name: str) -> tuple[object, ...]:
    study = optuna.load_study(study_name=name, storage=open_storage())
    return study.directions, study.user_attrs, study.trials


@pytest.mark.parametrize("is_thalweg", [False, True])
@pytest.mark.usefixtures("each_storage")
def test_other_study_is_left_alone(config: Config, capsys: pytest.CaptureFixture[str], is_thalweg: bool) -> None:
    """Somebody's own study, or one of ours whose fingerprint begins alike, has the name."""
    name = f"{config.study.name} abcdef"
    if is_thalweg:
        add_trials(open_study(config, "abcdef9999999999"), config, [trial.outcome for trial in build_trials(3)])
    else:
        theirs = optuna.create_study(storage=open_storage(), study_name=name, direction="maximize")
        theirs.add_trial(optuna.trial.create_trial(value=7.0))
    before = read_contents(name)
    for _ in range(2):
        with Publisher(config, FINGERPRINT) as publisher:
            publisher.on_cohort(build_trials(4))
    assert read_contents(name) == before
    longer = f"{config.study.name} {FINGERPRINT}"
    assert load_numbers(longer) == [0, 1, 2, 3]
    message = f'another study "{name}". This one is stored as "{longer}".\n'
    assert capsys.readouterr().err.count(message) == 2


@pytest.mark.usefixtures("each_storage")
def test_deleted_study_is_made_anew(config: Config, capsys: pytest.CaptureFixture[str]) -> None:
    """SQLite gives the row's number to the next study, which must not get our trials."""
    study, trials = open_study(config, FINGERPRINT), [trial.outcome for trial in build_trials(4)]
    add_trials(study, config, trials[:2])
    optuna.delete_study(study_name=f"{config.study.name} abcdef", storage=open_storage())
    optuna.create_study(storage=open_storage(), study_name="theirs")
    with pytest.raises(UserError, match="the study was deleted"):
        add_trials(study, config, trials)
    with Publisher(config, FINGERPRINT) as publisher:
        publisher._study = study
        publisher.on_cohort(build_trials(4))
    assert load_trials("theirs") == []
    assert load_numbers(f"{config.study.name} abcdef") == [0, 1, 2, 3]
    assert capsys.readouterr().err == ""


@pytest.mark.usefixtures("each_storage")
def test_missing_trials_are_filled_in(config: Config) -> None:
    study, trials = open_study(config, FINGERPRINT), [trial.outcome for trial in build_trials(6)]
    add_trials(study, config, [trials[0], trials[3]])
    assert isinstance(study, StoredStudy)
    add_trials(study, config, trials)
    assert sorted(load_numbers(f"{config.study.name} abcdef")) == [0, 1, 2, 3, 4, 5]


@pytest.mark.usefixtures("each_storage")
def test_further_seeds_are_another_study(config: Config) -> None:
    """Their values are means over more seeds, and stored trials never change."""
    space = {"study.space": {"optimizer.kind": {"choices": ["adam", "lion"]}}}
    short, long = (config.replace_values(space | {"study.trials": trials, "study.cohort": 2}) for trials in (2, 4))
    first = open_study(short, FINGERPRINT)
    assert open_study(short, FINGERPRINT).number == first.number
    assert open_study(long, FINGERPRINT).number != first.number
