"""Each kind of damage to each file that a project writes: the same bytes again, or one clear line and exit code 2."""

import random
from collections.abc import Callable
from pathlib import Path

from tests.helpers.clone import SMALLER, Clone
from tests.helpers.damages import DAMAGES, damage_file, list_read_files
from tests.helpers.size import Size, sized

CASES = 700
"""More than there are files and kinds of damage; all are tried then."""
COMPILED, COMPILED_FILES = ".thalweg/compiled/", 10
"""Compiled programs are many and alike: so many are damaged."""
PUBLIC = (
    "reports/trials.csv",
    "reports/curves.csv",
    "reports/summary.json",
    "reports/metrics.json",
    "reports/report.html",
    "artifacts/model/weights.msgpack",
    "artifacts/study/best.yaml",
)
STATE = (".thalweg/*/journal.jsonl", ".thalweg/*/snapshot.npz", ".thalweg/vega-*", ".thalweg/compiled/*/*.program")


def read_public(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in PUBLIC}


@sized(CASES, slow=6)
def test_damage_never_changes_a_result(clone: Callable[[], Clone], size: Size) -> None:
    project = clone()
    project.set(SMALLER)
    project.repro()
    undisturbed, commands = read_public(project.folder), list_read_files(project.folder)
    assert all(list(project.folder.glob(pattern)) for pattern in STATE)
    draw = size.start_draws()
    compiled = [name for name in commands if COMPILED in name]
    names = [name for name in commands if COMPILED not in name] + draw.sample(compiled, COMPILED_FILES)
    cases = [(name, kind) for name in names for kind in DAMAGES]
    print(f"{size}, drawn from {len(cases)}")
    problems = []
    for name, kind in draw.sample(cases, min(size.count, len(cases))):
        file, command = project.folder / name, commands[name]
        if not file.exists():
            continue  # a compiled program that is not needed any more
        content = file.read_bytes()
        if not damage_file(file, kind, draw, choose_other(draw, file)):
            continue
        done = project.attempt(*command)
        report = f"{name} {kind}: {' '.join(command)} ended with {done.returncode}: {done.stdout}{done.stderr}"
        if "Traceback" in report or done.returncode not in (0, 2):
            problems.append(report)
        if done.returncode == 2 and file.name not in done.stderr and "no model yet" not in done.stderr:
            problems.append(f"no file is named: {report}")
        if name.startswith("artifacts") and (done.returncode or command[0] == "thalweg"):
            file.write_bytes(content)
        if read_public(project.folder) != undisturbed:
            problems.append(f"the result changed: {report}")
            break
    assert not problems, "\n".join(problems)


def choose_other(draw: random.Random, file: Path) -> bytes:
    """Return the content of another valid file of the same kind in the project, or of none."""
    others = [other for other in sorted(file.parents[1].rglob(f"*{file.suffix}")) if other.is_file() and other != file]
    return draw.choice(others).read_bytes() if others else b"other"
