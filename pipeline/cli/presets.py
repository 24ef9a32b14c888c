"""The ready experiments, which lie in the package.

A preset begins with two comments: what it shows, and `MINUTES minutes: RESULT (DATE, MACHINE)` as measured.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from thalweg.cli.answers import PresetAnswer, PresetsAnswer
from thalweg.system import files
from thalweg.system.package_files import find_package_file

FOLDER = find_package_file("presets")
MEASURED = re.compile(r"# (?P<minutes>\d+(\.\d+)?) minutes?: (?P<result>.+) \((?P<date>[\d-]+), (?P<machine>[^()]+)\)")


@dataclass(frozen=True)
class Headline:
    """What a preset shows, and its minutes and result as measured; '' where its file does not say so."""

    topic: str = ""
    minutes: str = ""
    result: str = ""


def list_presets() -> list[Path]:
    """Return the files of all presets, sorted by name."""
    return files.find_files(FOLDER, "*.yaml")


def require_preset(name: str) -> Path:
    """Return a preset's file. Raises `UserError` where there is none."""
    presets = {file.stem: file for file in list_presets()}
    if name not in presets:
        raise files.UserError(f"{name}: no such preset; choose one of {', '.join(presets)}")
    return presets[name]


def read_headline(content: bytes) -> Headline:
    """Return what the first two lines of a preset say."""
    first, second, *_ = [*content.decode(errors="replace").splitlines(), "", ""]
    measured = MEASURED.fullmatch(second)
    if not first.startswith("# ") or measured is None:
        return Headline()
    return Headline(first.removeprefix("# "), measured["minutes"], measured["result"])


def describe_presets() -> PresetsAnswer:
    """Return what every preset shows, how long it takes, and what was found."""
    found = []
    for file in list_presets():
        headline = read_headline(files.read_bytes(file))
        minutes = float(headline.minutes) if headline.minutes else None
        found.append(PresetAnswer(file.stem, headline.topic, minutes, headline.result))
    return PresetsAnswer(tuple(found))


def format_presets(answer: PresetsAnswer) -> str:
    """Format presets as a table."""
    rows = [("preset", "minutes", "what it shows", "what was found")]
    for preset in answer.presets:
        minutes = "" if preset.minutes is None else f"{preset.minutes:g}"
        rows.append((preset.name, minutes, preset.topic, preset.result))
    name_width, minutes_width, topic_width = (max(len(row[column]) for row in rows) for column in range(3))
    return "\n".join(
        f"{name:{name_width}}  {minutes:>{minutes_width}}  {topic:{topic_width}}  {result}".rstrip()
        for name, minutes, topic, result in rows
    )
