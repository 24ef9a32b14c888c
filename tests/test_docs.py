"""README, CONTRIBUTING and docs/ against the code: links, examples, keys of params.yaml, sections, files."""

import copy
import importlib
import pkgutil
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from dvc.cli.parser import get_main_parser
from dvc.utils.hydra import apply_overrides
from ruamel.yaml import YAML

from tests.helpers.doc_examples import PAGES, TUTORIAL, Example, find_example, list_examples
from tests.helpers.drawn_sets import draw_images
from tests.helpers.paths import ROOT
from thalweg.cli.completion import SHELLS
from thalweg.cli.parser import build_parser
from thalweg.config.experiment import Config, ConfirmConfig, DataConfig, DiagnoseConfig, TrainingConfig
from thalweg.config.load import load_config
from thalweg.config.model import ModelConfig
from thalweg.config.numbers import OptimizerConfig, Strengths
from thalweg.config.study import ConstraintConfig, ParameterConfig, PruneConfig, StopConfig, StudyConfig
from thalweg.data.splits import split_examples
from thalweg.reporting.sections import find_sections
from thalweg.schema.section import StrictModel, find_members
from thalweg.system import files, paths
from thalweg.system.package_files import find_package_file
from thalweg.tasks import Task

PAGE = (ROOT / "docs" / "params.md").read_text()
YAML_EXAMPLES = [
    example
    for example in list_examples("yaml")
    if example.marks.get("example") != "own-task" and not {"own", "foreign"} & example.marks.keys()
]
"""Parts of params.yaml that hold as they are: not those that need a file of a person, nor files of other programs."""
OTHER_PROGRAMS = {
    *("cd", "cp", "createdb", "createuser", "docker", "git", "ray", "mkdir", "pip", "pipx", "rm", "sbatch", "sh", "uv"),
    "xdg-open",
}
PARSER = build_parser()
COMMANDS = next(list(action.choices) for action in PARSER._actions if isinstance(action.choices, dict))


def list_sections(part: type[StrictModel]) -> set[type[StrictModel]]:
    """A part of the file and all parts below it that its annotations name."""
    below = [field.annotation for field in part.model_fields.values()]
    named = {value for value in below if isinstance(value, type) and issubclass(value, StrictModel)}
    return {part}.union(*(list_sections(section) for section in named))


MEMBERS = {*find_members("thalweg.tasks").values(), *find_members("thalweg.data.sources").values()}
PARTS = sorted(
    list_sections(Config) | {StudyConfig, ParameterConfig, PruneConfig, ConstraintConfig, StopConfig} | MEMBERS,
    key=lambda part: part.__name__,
)


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.__name__)
def test_every_key_is_described(part: type[StrictModel]) -> None:
    names = part.model_fields.keys() - Strengths.model_fields.keys()  # an augmentation is described where it is written
    missing = [name for name in names if not re.search(rf"(`|`[a-z_.]+\.|## |[{{ ]){name}\b", PAGE)]
    assert missing == []


DEFAULTS: dict[str, type[StrictModel]] = {
    "data": DataConfig,
    "detect": find_members("thalweg.tasks")["detect"],
    "model": ModelConfig,
    "optimizer": OptimizerConfig,
    "training": TrainingConfig,
    "study": StudyConfig,
    "confirm": ConfirmConfig,
    "diagnose": DiagnoseConfig,
}
"""The parts whose table of keys has their defaults."""


@pytest.mark.parametrize("title", DEFAULTS)
def test_tables_name_the_defaults(title: str) -> None:
    table = (
        re.split(rf"^##+ {title}$", PAGE, flags=re.MULTILINE)[1]
        .split("| key | default | meaning |")[1]
        .split("\n\n")[0]
    )
    named = dict(re.findall(r"^\| `(\w+)` \| (.*?) \|", table, re.MULTILINE))
    fields = DEFAULTS[title].model_fields
    for name in fields.keys() & named.keys():
        default = fields[name].get_default()
        if isinstance(default, StrictModel):  # its keys have their own
            assert named[name] == "see below" or type(default)(**YAML(typ="safe").load(named[name])) == default
        elif fields[name].is_required():
            assert named[name] == "required"
        else:
            value = YAML(typ="safe").load(named[name].strip("`"))
            assert (tuple(value) if isinstance(value, list) else value) == default, name


def test_required_parts() -> None:
    optional = {name for name, field in Config.model_fields.items() if not field.is_required()}
    sentence = re.search(r"All parts are required, but for (.*?)\.", PAGE)
    assert sentence
    assert {*re.findall(r"`(\w+)`", sentence[1])} == optional


def test_report_sections_are_explained() -> None:
    titles = re.findall(r"^## (.*)$", (ROOT / "docs" / "report.md").read_text(), re.MULTILINE)
    assert sorted(titles) == sorted(section.TITLE for section in find_sections())


@pytest.mark.parametrize("page", [*PAGES, TUTORIAL], ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        if "://" not in target:
            file, _, anchor = target.partition("#")
            linked = page.parent / file if file else page
            assert linked.exists(), target
            titles = re.findall(r"^#+ (.*)$", linked.read_text(), re.MULTILINE) if anchor else []
            slugs = [re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles]
            assert not anchor or anchor in slugs, target


def test_index_lists_every_page() -> None:
    index = (ROOT / "docs" / "README.md").read_text()
    assert [page.name for page in (ROOT / "docs").glob("*.md") if f"({page.name})" not in index] == ["README.md"]


def test_example_languages_are_checked() -> None:
    assert {example.language for example in list_examples()} <= {"yaml", "python", "sh", ""}


@pytest.mark.parametrize("example", YAML_EXAMPLES, ids=str)
def test_yaml_example_loads(example: Example, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "small.py").write_text(find_example("model").text)
    (tmp_path / "own_model.py").write_text(find_package_file("scaffold", "own_model.txt").read_text())
    monkeypatch.syspath_prepend(str(tmp_path))
    tree = example.params()
    file = tmp_path / "params.yaml"
    YAML(typ="safe").dump(tree, file)
    assert load_config(file).task.kind == tree["task"]["kind"]


def test_space_changes_from_the_command_line(tmp_path: Path) -> None:
    file = tmp_path / "params.yaml"
    file.write_bytes((ROOT / "params.yaml").read_bytes())
    changes = re.findall(r"^dvc exp run -S '(.*)'$", (ROOT / "docs" / "search.md").read_text(), re.MULTILINE)
    before = load_config(file).study.space
    apply_overrides(file, changes)
    after = load_config(file).study.space
    assert len(changes) == 2
    assert after["optimizer.learning_rate"].range == (0.001, before["optimizer.learning_rate"].range[1])
    assert after["optimizer.clip"].choices == (None, 1.0)
    assert after.keys() - before.keys() == {"optimizer.clip"}


PYTHON_EXAMPLES = [
    example for example in list_examples("python") if not {"format", "own", "api"} & example.marks.keys()
]
"""Those that need no folder; the tests of formats, of own code and of the Python API run the others."""


@pytest.mark.parametrize("example", PYTHON_EXAMPLES, ids=str)
def test_python_example_runs(example: Example) -> None:
    assert run_example(example)


FORMATS = sorted({example.marks["format"] for example in list_examples() if "format" in example.marks})


@pytest.mark.parametrize("kind", FORMATS)
def test_layout_of_format_is_read(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Write the files that a page shows, and images where it lists them; the source of the page reads all."""
    monkeypatch.chdir(tmp_path)
    Path("photos").mkdir()
    data: dict[str, Any] = {}
    for example in (example for example in list_examples() if example.marks.get("format") == kind):
        if example.language == "yaml":
            data = YAML(typ="safe").load(example.text)["data"]
        elif example.language == "python":
            run_example(example)
        elif "file" in example.marks:
            files.write_text(Path(example.marks["file"]), example.text)
        else:
            draw_images(tmp_path, *example.text.split(), size=(48, 64))
    config = DataConfig.model_validate(data)
    result = config.source.read_examples(Path(config.path), 0)
    assert config.source.kind == kind
    assert result.faults == ()
    assert not any("not used" in warning for warning in result.warnings)
    assert len(result.examples) > 1
    split = split_examples(config.split.model_copy(update={"test": 0}), result.examples, 0)
    assert len(split.train[0]) * len(split.validation[0])


def test_every_format_has_a_section() -> None:
    assert {*FORMATS} == find_members("thalweg.data.sources").keys() - {"scenes", "idx", "folder", "digits", "photos"}


def test_task_example_is_complete() -> None:
    assert isinstance(run_example(find_example("task"))["Tally"](), Task)


def test_loss_example_costs_what_it_says() -> None:
    quantile = run_example(find_example("loss"))["quantile"]
    assert [float(quantile(prediction, 1.0, share=0.9)) for prediction in (0.0, 1.0, 2.0)] == pytest.approx(
        [0.9, 0.0, 0.1]
    )


def run_example(example: Example) -> dict[str, Any]:
    """The names after a block of Python, run as if it were at the end of the module that `in` names."""
    names = vars(importlib.import_module(example.marks["in"])) if "in" in example.marks else {}
    values = {name: value for name, value in names.items() if not name.startswith("__")}
    # a copy of the tables: an example adds its line to them
    scope = {name: copy.deepcopy(value) if isinstance(value, dict) else value for name, value in values.items()}
    scope["__name__"] = "example"
    exec(compile(example.text, str(example), "exec"), scope)
    return scope


@pytest.mark.parametrize("example", list_examples("sh"), ids=str)
def test_command_exists(example: Example) -> None:
    for line in example.text.splitlines():
        words = [word for word in shlex.split(line, comments=True) if not re.fullmatch(r"[A-Z_]+=\S*", word)]
        if words:
            check_command(*words)


def test_index_lists_every_command() -> None:
    index = (ROOT / "docs" / "README.md").read_text()
    listed = re.findall(r"^\| `thalweg (\w+)", index, re.MULTILINE)
    assert sorted(listed) == sorted(COMMANDS)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_inline_commands_exist(page: Path) -> None:
    for command in re.findall(r"`thalweg (\w+)", page.read_text()):
        assert command in COMMANDS
    for target in re.findall(r"`make (\S+)`", page.read_text()):
        check_command("make", target)


@pytest.mark.parametrize("page", [*PAGES, TUTORIAL], ids=lambda page: page.name)
def test_named_files_and_modules_exist(page: Path) -> None:
    text = page.read_text()
    for path in re.findall(r"`((?:pipeline|tests|presets|benchmarks|docs)/[\w./-]+)`", text):
        assert (ROOT / path).exists(), path
    for name in re.findall(r"`(thalweg\.(?:\w+\.)*\w+)`", text):
        assert pkgutil.resolve_name(name), name


def check_command(program: str, *arguments: str) -> None:
    """Assert that a program takes these arguments, without running it."""
    match program:
        case "make":
            makefile = (ROOT / "Makefile").read_text()
            targets = re.findall(r"^([\w-]+):", makefile, re.MULTILINE)
            kinds = re.findall(r"^ACCELERATORS := (.+)", makefile, re.MULTILINE)[0].split()
            assert {*arguments} <= {*targets, *(f"GPU={kind}" for kind in kinds)}
        case "dvc":
            chosen = get_main_parser().parse_args(arguments)
            stages = YAML(typ="safe").load(ROOT / "dvc.yaml")["stages"]
            if chosen.cmd != "add":  # whose targets are files
                assert {*(getattr(chosen, "targets", None) or ())} <= stages.keys()
            assert all(
                change.lstrip("+").split(".")[0] in Config.model_fields
                for change in getattr(chosen, "set_param", None) or ()
            )
        case "thalweg" if arguments[:1] == ("--print-completion",):  # which ends the process
            assert arguments[1] in SHELLS
        case "thalweg":
            chosen = PARSER.parse_args(arguments)
            assert (ROOT / "presets" / f"{getattr(chosen, 'preset', 'scenes')}.yaml").exists()
        case "pytest":
            assert all((ROOT / path).exists() for path in arguments if not path.startswith("-"))
        case _:
            assert program in OTHER_PROGRAMS


def test_picture_shows_every_stage() -> None:
    picture = (ROOT / "docs" / "architecture.svg").read_text()
    stages = YAML(typ="safe").load(ROOT / "dvc.yaml")["stages"]
    assert {name for name in stages if f">{name}</text>" not in picture} == set()


def test_results_page_names_known_files() -> None:
    page = (ROOT / "docs" / "results.md").read_text()
    known = {path for path in vars(paths).values() if isinstance(path, Path)}
    for folder in (paths.REPORTS, paths.ARTIFACTS):
        table = page.split(f"## In {folder}/")[1].split("\n## ")[0]
        named = {
            folder / name
            for row in re.findall(r"^\| (`.*?) \|", table, re.MULTILINE)
            for name in re.findall(r"`(.*?)`", row)
        }
        assert {path for path in named if path.suffix in (".csv", ".json", ".yaml")} <= known
