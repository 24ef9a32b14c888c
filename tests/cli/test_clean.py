"""thalweg clean: who needs what the caches hold, and what is removed."""

import json
import os
import subprocess
import time
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import jsonschema
import pytest

from docs import programs
from tests.helpers.tiny_pipeline import TREE, write_params
from thalweg import cli
from thalweg.artifacts.state_card import open_state
from thalweg.cli.caches import Cache
from thalweg.cli.clean import remove_cache
from thalweg.config.load import load_config
from thalweg.engine.state_folder import Journal, lock_state_folder
from thalweg.system import files
from thalweg.system.dvc_command import EXPERIMENTS, build_dvc_command, run_dvc
from thalweg.system.paths import PARAMS, STATE_FOLDER
from thalweg.system.runtime import name_compiled_folder

DAY = 86_400


def git(*arguments: str) -> None:
    subprocess.run(["git", "-c", "user.name=t", "-c", "user.email=t@t", *arguments], check=True, capture_output=True)


def commit(*paths: str) -> None:
    git("add", *paths)
    git("commit", "--quiet", "-m", "some")


def make_state(fingerprint: str, seed: int, trials: int = 0) -> Path:
    """The state of the study with this seed, as the stage leaves it; params.yaml is then of this study."""
    write_params({**TREE, "seed": seed})
    with open_state("study", load_config(PARAMS), fingerprint) as folder:
        if trials:
            Journal(folder).record_proposals(0, [{"a": number} for number in range(trials)])
    return folder


def clean(capsys: pytest.CaptureFixture[str], *options: str) -> dict[str, tuple[str, tuple[str, ...]]]:
    """Run the command; return the fate of each part by its path, and who needs it."""
    capsys.readouterr()
    assert cli.main(["clean", "--json", *options]) == 0
    answer = json.loads(capsys.readouterr().out)
    jsonschema.validate(answer, programs.build_schema(programs.ANSWERS["thalweg clean --json"]))
    assert answer["bytes"] == sum(cache["bytes"] for cache in answer["caches"] if cache["fate"] != "kept")
    return {Path(cache["path"]).name: (cache["fate"], tuple(cache["needed_by"])) for cache in answer["caches"]}


def fill(path: Path, size: int = 10, days: float = 0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x" * size)
    os.utime(path, (time.time() - days * DAY,) * 2)
    return path


@pytest.fixture
def _project(empty_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(empty_folder.parent))
    git("init", "--quiet", "--initial-branch=main")
    write_params(TREE)


@pytest.mark.usefixtures("_project")
def test_only_what_nobody_needs_is_removed(capsys: pytest.CaptureFixture[str]) -> None:
    committed, lost, running = (make_state(digit * 16, seed) for digit, seed in (("a", 1), ("b", 2), ("c", 3)))
    write_params({**TREE, "seed": 1, "report": {"title": "Renamed"}})
    commit(str(PARAMS))
    current = make_state("d" * 16, 4, trials=3)
    expected = {
        committed.name: ("kept", ("main",)),
        lost.name: ("unneeded", ()),
        running.name: ("unneeded", ()),
        current.name: ("kept", ("the workspace",)),
    }
    assert clean(capsys) == expected
    with lock_state_folder(running.name):
        expected |= {lost.name: ("removed", ()), running.name: ("kept", ("a stage that runs",))}
        assert clean(capsys, "--remove") == expected
    assert {folder.name for folder in STATE_FOLDER.iterdir()} == {committed.name, running.name, current.name}
    assert (current / "journal.jsonl").exists()


@pytest.mark.usefixtures("_project")
def test_table_has_a_row_for_each_study(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["clean"]) == 0
    assert capsys.readouterr().out == "the caches are empty\n"
    make_state("b" * 16, 2)
    make_state("a" * 16, 1, trials=3)
    with open_state("confirm", load_config(PARAMS), "c" * 16):
        pass
    assert cli.main(["clean"]) == 0
    head, first, second, last = capsys.readouterr().out.splitlines()
    assert head.split() == ["cache", "last", "used", "size", "needed", "by"]
    assert first.startswith("state: Few people (3 trials)")
    assert first.endswith("the workspace")
    assert second.startswith("state: Few people  ")
    assert second.endswith("nothing")
    assert last.startswith("`thalweg clean --remove` removes ")
    assert cli.main(["clean", "--remove"]) == 0
    *_, second, last = capsys.readouterr().out.splitlines()
    assert second.endswith("removed")
    assert last.startswith("removed ")
    assert cli.main(["clean", "--remove"]) == 0
    assert capsys.readouterr().out.splitlines()[-1].startswith("removed 0 bytes; ")


@pytest.mark.usefixtures("_project")
def test_studies_of_python_need_theirs(capsys: pytest.CaptureFixture[str]) -> None:
    state = make_state("a" * 16, 2)
    fill(Path("studies/one/params.yaml")).write_bytes(PARAMS.read_bytes())
    write_params(TREE)
    assert clean(capsys)[state.name] == ("kept", ("studies/one",))
    inside = Path("studies/one")
    (inside / STATE_FOLDER).symlink_to("../../.thalweg")
    os.chdir(inside)
    assert cli.main(["clean", "--remove"]) == 2
    assert "other studies may use, too; if a project holds that folder, run" in capsys.readouterr().err
    assert (STATE_FOLDER / state.name).exists()


@pytest.mark.usefixtures("_project")
def test_state_without_a_name_needs_an_age(capsys: pytest.CaptureFixture[str]) -> None:
    old, new = fill(STATE_FOLDER / ("a" * 16) / "journal.jsonl", days=9), fill(STATE_FOLDER / ("b" * 16) / "x", days=1)
    named = make_state("c" * 16, 2)
    write_params(TREE)
    unknown = ("it does not say whose it is",)
    assert {fate for fate, _ in clean(capsys).values()} == {"kept", "unneeded"}
    assert clean(capsys, "--remove", "--older-than", "5") == {
        old.parent.name: ("removed", unknown),
        new.parent.name: ("kept", unknown),
        named.name: ("kept", ()),
    }
    assert cli.main(["clean", "--older-than", "-1"]) == 2
    assert "must be at least 0 days, not -1" in capsys.readouterr().err


@pytest.mark.usefixtures("_project")
def test_rest_is_kept_unless_asked(capsys: pytest.CaptureFixture[str]) -> None:
    folder = name_compiled_folder(os.environ)
    current = fill(folder / "a.program")
    elsewhere, other = (
        fill(folder.parent / f"{name}-{'0' * 12}" / "a.program") for name in (version("jaxlib"), "0.0.1")
    )
    leftovers = [STATE_FOLDER / name for name in ("studies.damaged-1.db", ".studies.ab3_x9_z", "vega-0.1.js")]
    leftovers[1] = STATE_FOLDER / ".a.json.ab3_x9_z"
    kept = [STATE_FOLDER / name for name in ("expected-times.json", "mine.txt")]
    database = STATE_FOLDER / "studies.db"
    for file in (*leftovers, *kept, database):
        fill(file)
    fates = {name: fate for name, (fate, _) in clean(capsys, "--remove").items()}
    gone = {file.name for file in (other.parent, *leftovers)}
    assert {name for name, fate in fates.items() if fate == "removed"} == gone
    assert [file.exists() for file in (current, elsewhere, *kept, database)] == [True] * 5
    assert not any(file.exists() for file in (other, *leftovers))
    clean(capsys, "--remove", "--all-compiled", "--database")
    assert [file.exists() for file in (current, elsewhere, *kept, database)] == [False, False, True, True, False]


@pytest.mark.usefixtures("_project")
def test_file_of_a_living_writer_stays(capsys: pytest.CaptureFixture[str]) -> None:
    fates = []

    def write() -> Iterator[bytes]:
        yield b"some"
        fates.append(clean(capsys, "--remove"))

    files.write_parts(STATE_FOLDER / "a.json", write())
    assert list(fates[0].values()) == [("kept", ("a process that writes it",))]
    assert (STATE_FOLDER / "a.json").read_bytes() == b"some"


@pytest.mark.usefixtures("_project")
def test_unreadable_params_keep_everything(capsys: pytest.CaptureFixture[str]) -> None:
    state = make_state("a" * 16, 2)
    PARAMS.write_text("a: [")
    assert cli.main(["clean", "--remove"]) == 2
    assert "params.yaml:1:" in capsys.readouterr().err
    assert state.exists()


@pytest.mark.slow
@pytest.mark.usefixtures("_project")
def test_results_of_every_commit_stay(capsys: pytest.CaptureFixture[str]) -> None:
    run_dvc("init", "--quiet")
    results = Path("results.txt")
    contents = ["first", "second", "lost", "last"]
    for content in contents:
        results.write_text(content)
        run_dvc("add", "--quiet", str(results))
        if content in ("first", "second"):
            commit(".")
    capsys.readouterr()
    assert cli.main(["clean"]) == 0
    needed, unneeded, _ = capsys.readouterr().out.splitlines()[1:]
    assert "the workspace, commits" in needed
    assert len("lost") == int(unneeded.split(" bytes")[0].split()[-1])
    assert cli.main(["clean", "--remove"]) == 0
    cached = {file.read_text() for file in Path(".dvc/cache/files").rglob("*") if file.is_file()}
    assert cached == {"first", "second", "last"}
    run_dvc("config", "cache.dir", str(Path("shared").resolve()))
    fill(Path("shared/files/md5/ab/cdef"))
    assert clean(capsys, "--remove")["shared"][0] == "kept"
    assert Path("shared/files/md5/ab/cdef").exists()


def list_cached() -> set[str]:
    return {file.read_text() for file in Path(".dvc/cache/files").rglob("*") if file.is_file()}


@pytest.mark.slow
@pytest.mark.usefixtures("_project")
def test_experiment_that_runs_keeps_results(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run_dvc("init", "--quiet")
    for content in ("lost", "last"):
        Path("results.txt").write_text(content)
        run_dvc("add", "--quiet", "results.txt")
    begun, end = tmp_path / "begun", tmp_path / "end"
    wait = f"touch {begun} && until [ -e {end} ]; do sleep 0.1; done && echo found >found.txt"
    stage = {"cmd": wait, "outs": ["found.txt"]}
    Path("dvc.yaml").write_text(json.dumps({"stages": {"wait": stage}}))
    commit(".")
    command, environment = build_dvc_command("exp", "run", "--temp", "--quiet")
    experiment = subprocess.Popen(command, env=environment)
    try:
        while not begun.exists() and experiment.poll() is None:
            time.sleep(0.1)
        ((fate, needed_by),) = [found for name, found in clean(capsys, "--remove").items() if name == "cache"]
        assert fate == "kept"
        assert needed_by[0].startswith(f"an experiment of DVC in {EXPERIMENTS}/standalone/tmp")
        assert remove_cache(Cache("results", ".dvc/cache", 1, 4, 0.0)).fate == "kept"
        assert list_cached() == {"lost", "last"}
    finally:
        end.touch()
        assert experiment.wait(timeout=60) == 0
    clean(capsys, "--remove")
    assert list_cached() == {"last", "found\n"}
