"""The fenced examples of README, CONTRIBUTING and docs/, and what checks them."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from tests.helpers.paths import ROOT

TUTORIAL = ROOT / "docs" / "how-training-works.md"
"""Its studies have tests of their own."""
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted({*(ROOT / "docs").glob("*.md")} - {TUTORIAL})]
BLOCK = re.compile(r"((?:^<!-- [^\n]* -->\n)*)^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Example:
    """A fenced block: its page, language and text, and the marks above it, such as `<!-- example: loss -->`."""

    page: Path
    line: int
    language: str
    text: str
    marks: dict[str, str]

    def __str__(self) -> str:
        return f"{self.page.name}:{self.line}"

    def params(self) -> dict[str, Any]:
        """Return the default params.yaml with the parts that a block of YAML names; its `study` is added key by key.

        The mark `preset` names another file; its `study.space` is added to, too.
        """
        yaml, preset = YAML(typ="safe"), self.marks.get("preset")
        tree: dict[str, Any] = yaml.load(ROOT / (f"presets/{preset}.yaml" if preset else "params.yaml"))
        changes: dict[str, Any] = yaml.load(self.text)
        study = tree["study"] | changes.get("study", {})
        study["space"] = (tree["study"]["space"] if preset else {}) | study["space"]
        return tree | changes | {"study": study}


def list_examples(language: str | None = None) -> list[Example]:
    """List the examples of all pages, or those of one language."""
    examples = []
    for page in PAGES:
        text = page.read_text()
        for block in BLOCK.finditer(text):
            marks = dict(re.findall(r"<!-- (\w+): (\S+) -->", block[1]))
            examples.append(Example(page, text.count("\n", 0, block.start(2)) + 1, block[2], block[3], marks))
    return [example for example in examples if language in (None, example.language)]


def find_example(name: str) -> Example:
    """Return the one example that is marked with a name."""
    (example,) = [example for example in list_examples() if example.marks.get("example") == name]
    return example
