"""docs/programs.md, made from what commands print: `python -m docs.programs`."""

import json
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from thalweg.cli.answers import CheckAnswer, CompareAnswer, PresetsAnswer, UseAnswer
from thalweg.cli.apply import ApplyAnswer, StepsAnswer
from thalweg.cli.clean import CleanAnswer
from thalweg.cli.confirm import ConfirmAnswer
from thalweg.cli.doctor import DoctorAnswer
from thalweg.cli.processes import RunningAnswer
from thalweg.cli.study import StudyAnswer
from thalweg.cli.timing_table import TimingAnswer
from thalweg.diff.answer import DiffAnswer
from thalweg.reporting.finding import Finding
from thalweg.system import files

PAGE = Path(__file__).with_name("programs.md")
ANSWERS: dict[str, Any] = {
    "thalweg check --json": CheckAnswer,
    "thalweg use --json": PresetsAnswer,
    "thalweg use PRESET --json": UseAnswer,
    "thalweg study --json": StudyAnswer,
    "thalweg timing --json": TimingAnswer,
    "thalweg compare --json": CompareAnswer,
    "thalweg diff --json": DiffAnswer,
    "thalweg confirm --json": ConfirmAnswer,
    "thalweg ps --json": RunningAnswer,
    "thalweg clean --json": CleanAnswer,
    "thalweg doctor --json": DoctorAnswer,
    "thalweg apply --json": StepsAnswer,
    "thalweg apply NUMBER --json": ApplyAnswer,
    "reports/findings.json": list[Finding],
}
"""What a program may read, with the type of its content."""
TYPES = {
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "true or false",
    "null": "null",
    "": "any value",
}
HEAD = """# How does a program use Thalweg?

A script, a CI job or an agent reads JSON and exit codes. From Python, use [`thalweg.run`](api.md) instead.

```sh
thalweg check --json
thalweg use digits --minutes 10 --json
thalweg run
thalweg apply --json
```

After a study, `reports/findings.json` has each finding with its numbers and its next step. `thalweg apply` lists the
steps that change params.yaml, and `thalweg apply NUMBER` writes one. Then `thalweg run` makes the next study.

With `--json`, a command prints its answer as one line on standard output. Progress goes to standard error.

| exit code | meaning |
| ---: | --- |
| 0 | done; `thalweg compare`: B is better |
| 1 | `thalweg compare`, `thalweg diff --fail-on-regression`: B is worse; else a fault of Thalweg, or of a library |
| 2 | an error that you can correct; `thalweg check --json` and `thalweg doctor --json` still print their answers |
| 3 | `thalweg compare`: not clear yet |
| 4 | `thalweg compare`: no difference that counts |
| 130 | stopped by Ctrl-C or `thalweg stop`; the same command goes on |
| 255 | `thalweg run` and `dvc repro`: a stage has failed |

[results.md](results.md) describes the tables in `reports/`.

What stands on this page changes only with an entry in [CHANGELOG.md](../CHANGELOG.md). New fields may come.
"""


def build_schema(kind: Any) -> dict[str, Any]:
    """Build the JSON Schema of an answer. A value that is not finite, and one that is not known, is null."""
    schema: dict[str, Any] = TypeAdapter(kind).json_schema(mode="serialization")
    return schema


def build_page() -> str:
    """Build the page: its head, and for each answer its meaning, its fields, and its JSON Schema."""
    return "\n".join([HEAD, *(describe_answer(name, kind) for name, kind in ANSWERS.items())])


def describe_answer(name: str, kind: Any) -> str:
    """Describe an answer, and the records in it."""
    schema = build_schema(kind)
    records = {title: part for title, part in schema.get("$defs", {}).items() if "properties" in part}
    parts = [f"## `{name}`", *(_describe_record("", schema) if "properties" in schema else ["A list of records."])]
    for title, record in records.items():
        parts += _describe_record(title, record)
    lines = json.dumps(schema, separators=(",", ":"))
    return "\n\n".join([*parts, f"<details><summary>JSON Schema</summary>\n\n```\n{lines}\n```\n\n</details>"]) + "\n"


def _describe_record(title: str, record: dict[str, Any]) -> list[str]:
    """Describe a record by its docstring and a table of its fields."""
    text = record.get("description", "").partition("\n\n```")[0]
    rows = [f"| `{name}` | {describe_type(field)} |" for name, field in record["properties"].items()]
    heading = [f"A `{title}`:"] if title else []
    return [*heading, text, "\n".join(["| field | type |", "| --- | --- |", *rows])]


def describe_type(field: dict[str, Any]) -> str:
    """Describe the type of a field in words: `list of text`, `number or null`."""
    if "anyOf" in field:
        return " or ".join(describe_type(option) for option in field["anyOf"])
    if "$ref" in field:
        return f"a `{field['$ref'].rpartition('/')[2]}`"
    if "enum" in field:
        return ", ".join(f"`{value}`" for value in field["enum"])
    kind = field.get("type", "")
    if kind == "array":
        return f"list of {describe_type(field['items'])}".replace("of a `", "of `")
    if kind == "object":
        values = (
            describe_type(field["additionalProperties"]) if isinstance(field.get("additionalProperties"), dict) else ""
        )
        return f"object, its values {values}".removesuffix(", its values ")
    return TYPES[kind]


if __name__ == "__main__":
    files.write_text(PAGE, build_page())
    print(PAGE.name)
