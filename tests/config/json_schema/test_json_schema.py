"""The JSON Schema of params.yaml accepts every good file, and refuses what it can of the others."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given
from ruamel.yaml import YAML

from tests.helpers.doc_examples import Example, list_examples
from tests.helpers.drawn_params import draw_params, list_pairs
from tests.helpers.mutated_params import draw_mutations
from tests.helpers.params_messages import edit_experiment, list_message_lines
from tests.helpers.params_schema import build_validator, list_schema_errors
from tests.helpers.paths import EXPERIMENT, ROOT
from tests.helpers.size import Size, sized
from thalweg.config.checks import find_problems
from thalweg.config.experiment import RENAMED_SECTIONS, Config
from thalweg.config.model import MODEL_KINDS
from thalweg.config.params_file import ParamsError, parse_params
from thalweg.core import augmentations, losses, optimizers, schedules
from thalweg.core.network import list_model_sizes
from thalweg.data.examples import DataSource
from thalweg.schema.section import find_members

GOOD = [ROOT / "params.yaml", EXPERIMENT, *sorted((ROOT / "presets").glob("*.yaml"))]
FAMILIES = {
    "DataSource": find_members("thalweg.data.sources"),
    "Task": find_members("thalweg.tasks"),
    "ModelConfig": MODEL_KINDS,
    "Optimizer": optimizers.list_optimizers(),
    "Schedule": schedules.list_schedules(),
    **{family.capitalize(): losses.list_losses(family) for family in losses.FAMILIES},
}


@pytest.mark.parametrize("file", GOOD, ids=lambda file: file.stem)
def test_ready_files_are_valid(file: Path) -> None:
    assert list_schema_errors(YAML(typ="safe").load(file)) == []


def test_old_names_are_valid_but_not_offered() -> None:
    tree = YAML(typ="safe").load(EXPERIMENT)
    assert list_schema_errors(tree | {"report": {"sections": list(RENAMED_SECTIONS)}}) == []
    offered = build_validator().schema["definitions"]["ReportConfig"]["properties"]["sections"]["items"]["anyOf"]
    assert not RENAMED_SECTIONS.keys() & {name for option in offered for name in option.get("enum", ())}


@pytest.mark.parametrize("example", list_examples("yaml"), ids=str)
def test_documented_parts_are_valid(example: Example) -> None:
    tree = example.params()
    if not find_problems(tree):
        assert list_schema_errors(tree) == []


@sized(2_000, fast=40)
def test_drawn_files_are_valid(tmp_path_factory: pytest.TempPathFactory, size: Size) -> None:
    """A file that `check` calls good, with a source, a task, kinds and a space drawn at random."""
    sources = []
    for kind, source in find_members("thalweg.data.sources").items():
        folder = tmp_path_factory.mktemp(kind)
        sources.append((folder, cast(type[DataSource], source).write_example(folder)))
    pairs = list_pairs(sources)

    @size.draw_with_hypothesis
    @given(tree=draw_params(pairs))
    def check(tree: dict[str, Any]) -> None:
        YAML(typ="safe").dump(tree, file := tmp_path_factory.getbasetemp() / "params.yaml")
        tree = parse_params(file, file.read_bytes())[0]
        if not find_problems(tree):
            assert list_schema_errors(tree) == []

    check()


@sized(20_000, fast=300)
def test_what_the_schema_refuses_is_wrong(size: Size) -> None:
    """The schema and `check` agree on each file that the schema refuses: random edits of a good one."""

    @size.draw_with_hypothesis
    @given(text=draw_mutations())
    def check(text: str) -> None:
        try:
            tree = parse_params(Path("params.yaml"), text.encode())[0]
        except ParamsError:
            return
        if refused := list_schema_errors(tree):
            assert find_problems(tree), refused

    check()


RATE = ("  learning_rate: 0.001\n", "  learning_rate: {}\n")
SPACE = ("    optimizer.momentum:\n", "    {}\n    optimizer.momentum:\n")
WRONG = [
    # keys
    ("seed: 0  ", "seeed: 0  "),
    ("    examples: 2000\n", "    exmples: 2000\n"),
    ("    test: 0.2\n", "    tset: 0.2\n"),
    ("    noise: 0.0 ", "    nosie: 0.0 "),
    ("  density: 0  ", "  densty: 0  "),
    ("  depth: 3\n", "  deepth: 3\n"),
    ("      delta: 1.0  ", "      dleta: 1.0  "),
    ("  clip: null  ", "  clp: null  "),
    ("  final: 0.0  ", "  finl: 0.0  "),
    ("  batch_size: 64\n", "  batchsize: 64\n"),
    ("  randomness: paired ", "  randomnes: paired "),
    ("      high: 0.98\n", "      hgih: 0.98\n"),
    ("  gradients: false ", "  gradient: false "),
    ("    points: 25 ", "    point: 25 "),
    ("  title: How", "  titel: How"),
    ("    count:\n", "    cuont:\n"),
    # types
    ("seed: 0  ", "seed: true  "),
    ("    examples: 2000\n", "    examples: many\n"),
    ("    size: [48, 48] ", "    size: 48 "),
    ("    size: [48, 48] ", "    size: [48, 48, 3] "),
    ("    size: [48, 48] ", "    size: [48, '48'] "),
    ("  path: data  ", "  path: 3  "),
    ("    copies: 0\n", "    copies: 0.5\n"),
    ("    flip: 0.5  ", "    flip: yes it flips  "),
    ("  width: 12\n", "  width: wide\n"),
    ("  momentum: 0.9\n", "  momentum: '0.9'\n"),
    ("  epochs: 16\n", "  epochs: null\n"),
    ("  name: how many people\n", "  name: [how, many]\n"),
    ("  prune: null ", "  prune: 4 "),
    ("  stop: {} ", "  stop: null "),
    ("      log: true\n      when", "      log: 1\n      when"),
    ("  shares: [0.25, 0.5] ", "  shares: 0.5 "),
    ("  sections: [] ", "  sections: result "),
    # bounds
    ("seed: 0  ", "seed: -1  "),
    ("    examples: 2000\n", "    examples: 0\n"),
    ("    size: [48, 48] ", "    size: [4, 48] "),
    ("    people: [0, 10] ", "    people: [0, 99] "),
    ("    validation: 0.2\n", "    validation: 1.0\n"),
    ("    copies: 0\n", "    copies: 101\n"),
    ("    flip: 0.5  ", "    flip: 1.5  "),
    ("  density: 0  ", "  density: 3  "),
    ("  width: 12\n", "  width: 0\n"),
    ("  depth: 3\n", "  depth: 3\n  gain: 0\n"),
    ("      delta: 1.0  ", "      delta: 0.0  "),
    ("      weight: 1.0\n", "      weight: -1.0\n"),
    ("  learning_rate: 0.001\n", "  learning_rate: 0\n"),
    ("  momentum: 0.9\n", "  momentum: 1.0\n"),
    ("  final: 0.0  ", "  final: 1.1  "),
    ("  batch_size: 64\n", "  batch_size: 0\n"),
    ("  trials: 48  ", "  trials: 0  "),
    ("  prune: null ", "  prune: {first: 4, eta: 1} "),
    ("  seeds: 8  ", "  seeds: 1  "),
    ("  shares: [0.25, 0.5] ", "  shares: [0.25, 1.0] "),
    ("    points: 25 ", "    points: 202 "),
    # kinds and names
    ("    kind: scenes ", "    kind: scens "),
    ("  kind: count  ", "  kind: counts  "),
    ("  kind: cnn  ", "  kind: cnnn  "),
    ("      kind: l2  ", "      kind: l3  "),
    ("      kind: l2  ", "      kind: cross_entropy  "),
    ("  kind: heavy_ball ", "  kind: sgd "),
    ("  kind: cosine ", "  kind: cosin "),
    ("  on_bad: error ", "  on_bad: eror "),
    ("    by: group ", "    by: grp "),
    ("  sampler: tpe ", "  sampler: tp "),
    ("  randomness: paired ", "  randomness: unpaired "),
    ("  objective: mae ", "  objective: psnr "),
    ("  refit: none ", "  refit: some "),
    ("  sections: [] ", "  sections: [resul] "),
    ("  sections: [] ", "  sections: [3] "),
    ("      role: scientific ", "      role: scientist "),
    ("    kind: scenes ", "    knd: scenes "),
    # the search space
    ("      choices: [l1, l2, huber, poisson]\n", "      choices: [l1, l2, huber, poison]\n"),
    ("      choices: [l1, l2, huber, poisson]\n", "      choices: []\n"),
    ("      choices: [l1, l2, huber, poisson]\n", "      choices: [l1, l1]\n"),
    ("      choices: [l1, l2, huber, poisson]\n", "      choices: l1\n"),
    ("      high: 0.98\n", ""),
    ("      high: 0.98\n", "      high: 1.0\n"),
    ("      low: 0.0003\n", "      low: 0.0\n"),
    ("      high: 0.98\n", "      high: 0.98\n      choices: [0.9]\n"),
    ("      high: 0.98\n", "      high: 0.98\n      whole: true\n"),
    ("      high: 0.98\n", "      high: 0.98\n      points: 0\n"),
    ("    optimizer.momentum:\n", "    optimiser.momentum:\n"),
    ("    optimizer.momentum:\n", "    training.patience:\n"),
    ("    optimizer.momentum:\n", "    model.width:\n"),
    ("    optimizer.momentum:\n", "    optimizer.kind:\n"),
    ("    optimizer.momentum:\n", "    model.width: {choices: [wide]}\n    optimizer.momentum:\n"),
    ("    optimizer.momentum:\n", "    task.density: {choices: [0, 3]}\n    optimizer.momentum:\n"),
    ("    optimizer.momentum:\n", "    training.epochs: {choices: [0, 3]}\n    optimizer.momentum:\n"),
    ("    optimizer.momentum:\n", "    augment.online.flip: {low: 0, high: 2}\n    optimizer.momentum:\n"),
    ("    optimizer.momentum:\n", "    loss.balance: {choices: [no]}\n    optimizer.momentum:\n"),
]


@pytest.mark.parametrize("edit", WRONG, ids=lambda edit: edit[1].strip().replace("\n", " "))
def test_wrong_files_are_refused(edit: tuple[str, str], tmp_path: Path) -> None:
    """The schema and `check` agree, and on the same place."""
    text = edit_experiment(edit)
    assert list_message_lines(tmp_path, text)
    assert list_schema_errors(YAML(typ="safe").load(text))


def test_whole_parts_are_required() -> None:
    tree = YAML(typ="safe").load(EXPERIMENT)
    for name, field in Config.model_fields.items():
        rest = {key: value for key, value in tree.items() if key != name}
        assert bool(list_schema_errors(rest)) == field.is_required(), name


def test_every_kind_is_offered() -> None:
    definitions = build_validator().schema["definitions"]
    for name, kinds in FAMILIES.items():
        offered, own = definitions[name]["properties"]["kind"]["anyOf"]
        assert offered["enum"] == list(kinds)
        assert len(offered["enumDescriptions"]) == len(kinds)
        assert "pattern" in own


def test_every_size_of_a_model_is_a_key() -> None:
    for rule in build_validator().schema["definitions"]["ModelConfig"]["else"]["allOf"]:
        kind = rule["if"]["properties"]["kind"]["const"]
        assert rule["then"]["properties"].keys() == {"kind", "gain", "last_gain", *list_model_sizes(kind)}


def test_every_augmentation_is_a_key() -> None:
    strengths = build_validator().schema["definitions"]["Strengths"]
    assert list(strengths["properties"]) == list(augmentations.list_augmentations())


def list_keys(tree: Any) -> Iterator[tuple[str, Any]]:
    """Yield every key that the schema declares, with what it says of it."""
    if isinstance(tree, dict):
        if isinstance(properties := tree.get("properties"), dict):
            yield from properties.items()
        for value in tree.values():
            yield from list_keys(value)
    for value in tree if isinstance(tree, list) else ():
        yield from list_keys(value)


def test_every_key_is_described() -> None:
    schema = build_validator().schema
    for name, definition in schema["definitions"].items():
        for key, value in definition.get("properties", {}).items():
            referred = schema["definitions"][value["$ref"].rpartition("/")[2]] if "$ref" in value else {}
            assert key == "kind" or value.get("description") or referred.get("description"), f"{name}.{key}"
