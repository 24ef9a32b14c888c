"""What the caches of a project hold, and what needs it: the workspace, a commit, or this version of a library."""

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from thalweg.artifacts.state_card import count_trials, name_experiment, read_card
from thalweg.config.params_file import ParamsError
from thalweg.search.storage_place import DEFAULT_FILE
from thalweg.system import dvc_command, files, git, running
from thalweg.system.files import UserError
from thalweg.system.paths import PARAMS, STATE_FOLDER, STUDIES, name_script_bundle
from thalweg.system.runtime import COMPILED_FOLDER, name_compiled_folder

FINGERPRINT = re.compile(r"[0-9a-f]{16}")
LEFTOVERS = ("studies.damaged-*", ".*.*.????????", "vega-*.js")
"""Files that nothing reads: set aside because they were damaged, half written, or of another version of a library."""
WORKSPACE = "the workspace"
UNKNOWN = "it does not say whose it is"
BUSY = "a stage that runs"
WRITTEN = "a process that writes it"


@dataclass(frozen=True)
class Cache:
    """A part of a cache, and whether it is `kept`, `unneeded` or `removed`.

    `kind`: state, compiled, results, database, leftover or other. `used`: when it was last written, in seconds since
    1970. `needed_by`: the workspace, commits by name, or what else it serves.

    A state is that of one `stage` of a study: `study` is the title of its report, `trials` how many it has begun, and
    `experiment` the same for all states of one study.
    """

    kind: str
    path: str
    files: int
    bytes: int
    used: float
    needed_by: tuple[str, ...] = ()
    stage: str = ""
    study: str = ""
    trials: int = 0
    experiment: str = ""
    fate: str = "kept"


def list_caches() -> list[Cache]:
    """List all parts: states of studies, compiled programs, results in DVC's cache, and the rest of `.thalweg/`."""
    shared = files.resolve_links(STATE_FOLDER)
    if shared != files.resolve_links(Path()) / STATE_FOLDER:
        what = f"{STATE_FOLDER} leads to {shared}, which other studies may use, too"
        advice = "if a project holds that folder, run the command there; else delete by hand what no study needs"
        raise UserError(f"clean: {what}; {advice}")
    return [*_list_states(list_needs()), *_list_compiled(), *_list_results(), *_list_rest()]


def list_needs() -> dict[str, list[str]]:
    """Return who can use the states of each experiment: the workspace, studies of Python in it, and commits.

    Raises `ParamsError` if params.yaml itself cannot be read: then nobody knows what the workspace needs.
    """
    needs = {name: [WORKSPACE] for name in name_experiment(files.read_bytes(PARAMS))}
    studies = ((str(file.parent), files.read_bytes(file)) for file in files.find_files(STUDIES, f"*/{PARAMS}"))
    commits = ((version.commit, version.content) for version in git.list_versions(PARAMS))
    for user, content in (*studies, *commits):
        with suppress(ParamsError):  # no stage ran with it
            for name in name_experiment(content):
                needs.setdefault(name, []).append(user)
    return needs


def _list_states(needs: dict[str, list[str]]) -> Iterator[Cache]:
    for folder in files.find_files(STATE_FOLDER, "*"):
        if not FINGERPRINT.fullmatch(folder.name):
            continue
        card = read_card(folder)
        if card is None:
            yield _measure_cache("state", folder, UNKNOWN)
            continue
        users = (name for experiment in card.experiments for name in needs.get(experiment, ()))
        yield replace(
            _measure_cache("state", folder, *dict.fromkeys(users)),
            stage=card.stage,
            study=card.title,
            trials=count_trials(folder),
            experiment=card.experiments[-1],
        )


def _list_compiled() -> Iterator[Cache]:
    current = name_compiled_folder(os.environ)
    version, _, _ = current.name.rpartition("-")
    for folder in files.find_files(COMPILED_FOLDER, "*"):
        where = "this processor" if folder == current else "another processor, or with other threads"
        is_current = folder.name.rpartition("-")[0] == version
        yield _measure_cache("compiled", folder, *([f"this JAX on {where}"] if is_current else []))


def _list_results() -> Iterator[Cache]:
    """List DVC's cache in two parts: what the workspace and commits need, and what they do not."""
    root = dvc_command.find_dvc_root()
    if root is None:
        return
    settings = dvc_command.read_dvc_settings()
    is_own = "cache.dir" not in settings
    folder = root / dvc_command.CACHE if is_own else Path(dvc_command.run_dvc("cache", "dir").strip())
    cache = _measure_cache("results", Path(os.path.relpath(folder)))
    if not cache.files:
        return
    if not is_own:
        yield replace(cache, needed_by=("projects that may share it: cache.dir of DVC is set",))
    elif users := find_users():
        yield replace(cache, needed_by=users)
    else:
        yield from _divide_results(cache, choose_scope(settings))


def find_users() -> tuple[str, ...]:
    """Return what may need results in DVC's cache that no `dvc.lock` of the workspace or a commit names yet."""
    root = dvc_command.find_dvc_root()
    folders = [os.path.relpath(path) for path in dvc_command.list_experiments(root)] if root else []
    experiments = [f"an experiment of DVC in {folder} (delete it if none runs)" for folder in folders]
    return (*([BUSY] if running.list_running() else []), *experiments)


def _divide_results(cache: Cache, scope: tuple[str, ...]) -> Iterator[Cache]:
    unneeded = [files.measure_use(file) for file in dvc_command.list_unneeded_files(scope)]
    count, size = len(unneeded), sum(use.bytes for use in unneeded)
    needed_by = (WORKSPACE, "commits") if len(scope) > 1 else (WORKSPACE,)
    yield replace(cache, files=cache.files - count, bytes=cache.bytes - size, needed_by=needed_by)
    if unneeded:
        yield replace(cache, files=count, bytes=size, used=max(use.written for use in unneeded))


def choose_scope(settings: dict[str, str]) -> tuple[str, ...]:
    """Return the options of `dvc gc` that keep what the workspace needs, and each commit if DVC knows of git."""
    has_commits = settings.get("core.no_scm", "false").lower() != "true" and git.run_git("rev-list", "--all", "-1")
    return ("--workspace", "--all-commits", "--all-experiments") if has_commits else ("--workspace",)


def _list_rest() -> Iterator[Cache]:
    inside = [path for path in files.find_files(STATE_FOLDER, "*") if not files.is_folder(path)]
    leftovers = {path for pattern in LEFTOVERS for path in files.find_files(STATE_FOLDER, pattern)}
    for path in inside:
        if path in leftovers and path != name_script_bundle():
            yield _measure_cache("leftover", path)
        elif path.name.startswith(DEFAULT_FILE.name):
            yield _measure_cache("database", path, "the dashboard")
        else:
            yield _measure_cache("other", path, "commands")


def _measure_cache(kind: str, path: Path, *needed_by: str) -> Cache:
    use = files.measure_use(path)
    return Cache(kind, str(path), use.files, use.bytes, use.written, needed_by)
