"""docs/params.md against the code."""

import re
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.helpers.paths import ROOT
from thalweg.config.experiment import Config
from thalweg.config.load import load_config
from thalweg.config.numbers import Strengths
from thalweg.config.study import ConstraintConfig, ParameterConfig, PruneConfig, StopConfig, StudyConfig
from thalweg.reporting.sections import find_sections
from thalweg.schema.section import StrictModel, find_members

PAGE = (ROOT / "docs" / "params.md").read_text()


def sections(part: type[StrictModel]) -> set[type[StrictModel]]:
    """A part of the file and all parts below it that its annotations name."""
    below = [field.annotation for field in part.model_fields.values()]
    named = {one for one in below if isinstance(one, type) and issubclass(one, StrictModel)}
    return {part}.union(*(sections(one) for one in named))


MEMBERS = {*find_members("thalweg.tasks").values(), *find_members("thalweg.data.sources").values()}
PARTS = sorted(
    sections(Config) | {StudyConfig, ParameterConfig, PruneConfig, ConstraintConfig, StopConfig} | MEMBERS,
    key=lambda part: part.__name__,
)


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.__name__)
def test_every_key_is_described(part: type[StrictModel]) -> None:
    names = part.model_fields.keys() - Strengths.model_fields.keys()  # an augmentation is described where it is written
    missing = [name for name in names if not re.search(rf"(`|`[a-z_.]+\.|## |[{{ ]){name}\b", PAGE)]
    assert missing == []


NAMED = re.findall(r"<!-- example: (\w+) -->", PAGE)


@pytest.mark.parametrize("name", NAMED)
def test_an_example_is_good_in_place_of_the_default(name: str, tmp_path: Path) -> None:
    yaml = YAML(typ="safe")
    found = re.search(rf"<!-- example: {name} -->\n```yaml\n(.*?)```", PAGE, re.DOTALL)
    assert found
    tree: dict[str, Any] = yaml.load(ROOT / "params.yaml")
    told: dict[str, Any] = yaml.load(found.group(1))
    tree |= told | {"study": tree["study"] | told["study"]}
    file = tmp_path / "params.yaml"
    yaml.dump(tree, file)
    assert load_config(file).task.kind == told["task"]["kind"]


def test_every_section_of_the_report_is_explained() -> None:
    titles = re.findall(r"^## (.*)$", (ROOT / "docs" / "report.md").read_text(), re.MULTILINE)
    assert sorted(titles) == sorted(section.TITLE for section in find_sections())
