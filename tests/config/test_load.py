import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers.paths import ROOT
from thalweg import cli
from thalweg.config.experiment import Config
from thalweg.config.load import ParamsError, load_config
from thalweg.core import augmentations, losses, optimizers, schedules
from thalweg.core.hyperparameters import list_defaults
from thalweg.schema.section import find_members

PARAMS = ROOT / "params.yaml"
TEXT = PARAMS.read_text()
JARGON = re.compile(
    r"<class|Input|valid_|pydantic|Traceback|dict|tuple|NoneType|Section|Part\b|str\b|\bint\b|\bfloat\b"
)


def list_message_lines(folder: Path, text: str | bytes) -> list[str]:
    """The lines of the message about a params file, without the file's name; none where it is good."""
    file = folder / "params.yaml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    try:
        load_config(file)
    except ParamsError as error:
        *lines, count = str(error).split("\n")
        if "not valid YAML" in str(error) or not lines:
            return [str(error).removeprefix(f"{file}:")]
        assert count == f"{len(lines)} error{'s' if len(lines) > 1 else ''} in {file}"
        return [line.removeprefix(f"{file}:") for line in lines]
    return []


def edit_default_file(*edits: tuple[str, str]) -> str:
    """The default file with pieces replaced; each piece stands in it once."""
    text = TEXT
    for old, new in edits:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text


def line_of(text: str, piece: str) -> int:
    assert text.count(piece) == 1, piece
    return text[: text.index(piece)].count("\n") + 1


@pytest.mark.parametrize("file", [PARAMS, *sorted((ROOT / "presets").glob("*.yaml"))], ids=lambda file: file.stem)
def test_shipped_files_load(file: Path) -> None:
    assert isinstance(load_config(file), Config)


OPTIMIZERS = [name for member in optimizers.KINDS for name in list_defaults(member)]
ALLOWED = {
    family: ", ".join(dict.fromkeys(names))
    for family, names in {
        "augmentations": augmentations.list_augmentations(),
        "moving no one": augmentations.list_augmentations(augmentations.Change.OBJECTS),
        "losses": [name for family in losses.FAMILIES for name in losses.list_losses(family)],
        "regression": losses.list_losses("regression"),
        "numbers of classification": [
            name for member in losses.FAMILIES["classification"] for name in list_defaults(member)
        ],
        "optimizers": optimizers.list_optimizers(),
        "numbers of optimizers": OPTIMIZERS,
        "paths of optimizers": [f"optimizer.{name}" for name in OPTIMIZERS],
        "schedules": schedules.list_schedules(),
        "sources": find_members("thalweg.data.sources"),
        "tasks": find_members("thalweg.tasks"),
    }.items()
}
"""What a message names as allowed, where that is a family, so that a new member needs no edit here."""


def fill_in_families(message: str) -> str:
    """A message with the members of each family that it names as `<family>`."""
    return re.sub(r"<([a-z ]+)>", lambda found: ALLOWED[found.group(1)], message)


BAD = """\
seed: true
data:
  path: data
  source:
    kind: scenes
    examples: 1800.0
    exmples: 3
    size: [48, "48"]
  on_bad: eror
  background: 3
  split:
    by: grp
    validation: 2.0
    test: "0.2"
augment:
  offline:
    copies: -1
    shift: 0.2
  online:
    flip: true
    cutout: 0.1
    blur: 1
task:
  kind: count
  pool: 3
model:
  kind: cnn
  width: "12"
  deepth: 3
loss:
  terms:
    count:
      kind: cross_entropy
      weight: -1
      dleta: 1.0
    other:
      kind: foo
optimizer:
  kind: sgd
  learning_rate: "0.1"
  momentum: 1.0
  clip: .nan
schedule:
  kind: cosin
  warmup: .inf
  every: 0
training:
  epochs: 10
  batch_size:
  validate_every: 4
study:
  name: 3
  sampler: bayes
  trials: 47
  cohort: 6
  objective: l2
  space:
    optimizer.learning_rat:
      low: 1
      high: 2
    training.batch_size: {low: 1, high: 3}
    study.trials: {choices: [1]}
    optimizer.momentum:
      low: 0.0
      high: 1.5
      lo: 3
    optimizer.b2: {low: 0.5, high: 1.5}
    optimizer.clip: {low: 3}
    model.kind: {choices: [cnn, foo]}
    augment.online.shift: {low: 0.0, high: 0.2}
    schedule.warmup:
      low: 0.0
      high: 1.0
      when:
        loss.terms.count.kind: l1
confirm:
  seeds: 1
report:
  title: a
  sections: [resultt]
  title: b
extra: 1
"""

EXPECTED = """\
1: seed: must be a whole number, not true
6: data.source.examples: must be a whole number, not 1800.0
7: data.source.exmples: unknown key; allowed: kind, examples, size, people, children, clutter, places; did you mean \
`examples`?
8: data.source.size.1: must be a whole number, not the text "48"
9: data.on_bad: "eror" is not known; allowed: error, skip; did you mean `error`?
10: data.background: must be text, not 3
12: data.split.by: "grp" is not known; allowed: fraction, group, folds, column; did you mean `group`?
13: data.split.validation: must be below 1, not 2.0
14: data.split.test: must be a number, not the text "0.2"
17: augment.offline.copies: must be at least 0, not -1
18: augment.offline.shift: could make the labels of task `count` wrong; remove it, or set `task.density` to one of 2, 4, 8, 16; \
as it is, `count` allows only <moving no one>
20: augment.online.flip: must be a number, not true
21: augment.online.cutout: could make the labels of task `count` wrong; remove it
22: augment.online.blur: unknown key; allowed: <augmentations>
28: model.width: must be a whole number, not the text "12"
29: model.deepth: unknown key; allowed: width, depth
33: loss.terms.count.kind: `cross_entropy` does not suit this term; allowed: <regression>
34: loss.terms.count.weight: must be at least 0, not -1
35: loss.terms.count.dleta: unknown key; allowed: kind, weight, schedule, phases, <numbers of classification>
36: loss.terms.other: task `count` has no such term; allowed: count
37: loss.terms.other.kind: "foo" is not known; allowed: <losses>; did you mean `focal`?
39: optimizer.kind: "sgd" is not known; allowed: <optimizers>
40: optimizer.learning_rate: must be a number, not the text "0.1"
41: optimizer.momentum: must be below 1, not 1.0
42: optimizer.clip: must be a finite number, not .nan
44: schedule.kind: "cosin" is not known; allowed: <schedules>; did you mean `cosine`?
45: schedule.warmup: must be a finite number, not .inf
46: schedule.every: must be above 0, not 0
49: training.batch_size: must be a whole number, not empty (null)
50: training.validate_every: does not divide training.epochs, 10
52: study.name: must be text, not 3
53: study.sampler: "bayes" is not known; allowed: tpe, random, quasi_random
54: study.trials: 47 is not a multiple of study.cohort, 6; use 42 or 48
56: study.objective: "l2" cannot be an objective of task `count`; allowed: mae, rmse, exact
58: study.space.optimizer.learning_rat: is not in this file; allowed: optimizer.kind, optimizer.learning_rate, \
optimizer.momentum, optimizer.clip; did you mean `optimizer.learning_rate`?
61: study.space.training.batch_size: changes the compiled program, so it needs a short list of `choices`
62: study.space.study.trials: cannot be searched
65: study.space.optimizer.momentum.high: must be below 1, not 1.5
66: study.space.optimizer.momentum.lo: unknown key; allowed: low, high, log, whole, points, choices, role, when; did you mean `low`?
67: study.space.optimizer.b2.high: must be below 1, not 1.5
68: study.space.optimizer.clip: needs `low` and `high`, or `choices`
69: study.space.model.kind.choices.1: "foo" is not known; allowed: cnn
70: study.space.augment.online.shift.high: could make the labels
75: study.space.schedule.warmup.when.loss.terms.count.kind: is not searched, so it cannot be a condition
77: confirm.seeds: must be at least 2, not 1
80: report.sections.0: "resultt" is not a section
81: report.title: duplicate key, first used in line 79
82: extra: unknown key; allowed: seed, data, augment, task, model, loss, optimizer, schedule, training, study, \
confirm, diagnose, engine, report
"""


def test_every_error_names_its_line(tmp_path: Path) -> None:
    lines = list_message_lines(tmp_path, BAD)
    expected = fill_in_families(EXPECTED).strip().split("\n")
    assert [line.split(": ")[:2] for line in lines] == [line.split(": ")[:2] for line in expected]
    for line, start in zip(lines, expected, strict=True):
        assert line.startswith(start)
    assert not [line for line in lines if JARGON.search(line)]


def test_load_names_missing_keys(tmp_path: Path) -> None:
    text = edit_default_file(
        ("  kind: heavy_ball          # gradient_descent | heavy_ball | nesterov | ema | adam | adamw | lion\n", ""),
        ("  epochs: 16\n", ""),
        ("task:\n  kind: count               # count | classify | detect | enhance\n", "task:\n"),
        ("    size: [48, 48]", "    size: [48]"),
        ("confirm:\n", "confirmed:\n"),
    )
    lines = list_message_lines(tmp_path, text)
    known = ALLOWED["optimizers"]
    parts = ", ".join(Config.model_fields)
    assert sorted(line.partition(": ")[2] for line in lines) == sorted(
        [
            f"optimizer.kind: is missing; allowed: {known}",
            "training.epochs: is missing",
            f"task: needs a `kind`; allowed: {ALLOWED['tasks']}",
            "data.source.size.1: is missing",
            f"confirmed: unknown key; allowed: {parts}; did you mean `confirm`?",  # so `confirm` is not missing, too
        ]
    )
    # what is missing is named in the line of the part that lacks it
    assert f"{line_of(text, 'optimizer:')}: optimizer.kind: is missing; allowed: {known}" in lines
    assert f"{line_of(text, 'training:')}: training.epochs: is missing" in lines


def test_missing_part_has_no_line(tmp_path: Path) -> None:
    text = TEXT[: TEXT.index("confirm:\n")] + TEXT[TEXT.index("report:\n") :].replace("report:", "engine: {}\nreport:")
    assert list_message_lines(tmp_path, text.replace("seed: 0 ", "# ")) == [
        " `seed` is missing",
        " `confirm` is missing",
    ]


def test_list_is_explained_by_its_entries(tmp_path: Path) -> None:
    text = edit_default_file(("    size: [48, 48]", "    size: 48"))
    line = line_of(text, "    size: 48")
    assert list_message_lines(tmp_path, text) == [
        f"{line}: data.source.size: must be a list (height and width in pixels), not 48"
    ]


def test_augmentation_error_names_the_way_out(tmp_path: Path) -> None:
    text = edit_default_file(("    flip: 0.5 ", "    shift: 0.1\n    flip: 0.5 "))
    assert list_message_lines(tmp_path, text) == [
        f"{line_of(text, 'shift')}: augment.online.shift: could make the labels of task `count` wrong; remove it, or set "
        f"`task.density` to one of 2, 4, 8, 16; as it is, `count` allows only {ALLOWED['moving no one']}"
    ]
    text = edit_default_file(("  kind: count ", "  kind: enhance "), ("    noise: 0.0 ", "    noise: 0.1 "))
    lines = [line for line in list_message_lines(tmp_path, text) if "augment" in line]
    assert lines
    assert all("could make the labels of task `enhance` wrong; remove it; as it is" in line for line in lines)


def test_section_must_not_be_empty_or_scalar(tmp_path: Path) -> None:
    text = edit_default_file(("  title: How many people are in this image?\n  sections: []", "# "))
    start = f"{line_of(text, 'report:')}: report: must be a mapping of keys to values, not empty (null); allowed: title, sections"
    assert list_message_lines(tmp_path, text) == [start]
    text = edit_default_file(("    by: group  ", "    by: [group]")).replace(
        "task:\n  kind: count ", "task: count\nx:\n  kind: count"
    )
    found = [line.partition(": ")[2] for line in list_message_lines(tmp_path, text)]
    assert any(line.startswith("data.split.by: a list of 1 is not known") for line in found)
    assert 'task: must be a mapping of keys to values, not the text "count"; write `{kind: count, …}`' in found


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("    kind: scenes ", "    kind: scenez ", 'data.source.kind: "scenez" is not known; allowed: <sources>; did'),
        ("  kind: count  ", "  kind: cuont  ", 'task.kind: "cuont" is not known; allowed: <tasks>; did you mean `count`?'),
        ("  kind: cnn  ", "  kind: cnnn  ", 'model.kind: "cnnn" is not known; allowed: cnn, '),
        ("  kind: cnn  ", "  kind: no.such  ", "model: `kind` names a model that cannot be loaded (No module named 'no')"),
        ("  kind: cnn  ", "  kind: os.path  ", "model: `kind` names a model that cannot be loaded (it is not a class)"),
        ("  kind: cnn  ", "  kind: '..'  ", "model: `kind` names a model that cannot be loaded"),
        ("      kind: l2  ", "      kind: l3  ", 'loss.terms.count.kind: "l3" is not known; allowed: l1, l2, huber'),
        ("      kind: l2  ", "      kind: cross_entropy  ", "loss.terms.count.kind: `cross_entropy` does not suit this term; allowed: l1, l2, huber,"),
        ("    count:\n", "    areas:\n", "loss.terms.count: is missing; task `count` needs it: `count: {kind: l1}`"),
        ("    count:\n", "    cuont:\n", "loss.terms.cuont: task `count` has no such term; allowed: count; did you mean `count`?"),
        ("  density: 0 ", "  density: 4 ", "loss.terms.areas: is missing; task `count` needs it: `areas: {kind: l1}`"),
        ("people: [0, 10]", "people: [10, 0]", "data.source.people: the fewest (10) must not be above the most (0)"),
        ("people: [0, 10]", "people: [0, 1, 2]", "data.source.people: must have at most 2 entries, not a list of 3"),
        ("people: [0, 10]", "people: 10", "data.source.people: must be a list (fewest and most people in an image), not 10"),
        ("  batch_size: 64", "  batch_size: '64'", 'training.batch_size: must be a whole number, not the text "64"'),
        ("  title: How", "  title: 2020-01-01 #", "report.title: must be text, not the value 2020-01-01"),
        ("seed: 0 ", "seed: 4294967296 ", "seed: must be below 2147483648, not 4294967296"),
        ("  objective: mae", "  objective: mae\n  also: [rmsee]", 'study.also.0: "rmsee" cannot be an objective of task `count`; allowed: rmse, exact; did'),
        ("  objective: mae", "  objective: mae\n  also: [mae]", 'study.also.0: "mae" is already an objective; allowed: rmse, exact'),
        ("  objective: mae", "  objective: mae\n  constraints: {biass: {low: 1}}", "study.constraints.biass: is not a metric of task `count`; allowed: mae, rmse, bias, exact; did"),
        ("  objective: mae", "  objective: mae\n  constraints: {bias: {}}", "study.constraints.bias: needs `low` or `high`"),
        ("  objective: mae", "  objective: mae\n  prune: {first: 16}", "study.prune.first: must be below 16 (training.epochs), not 16; otherwise no trial is pruned"),
        ("  objective: mae", "  objective: mae\n  prune: {first: 1}", "study.prune.first: must be above 1 (schedule.warmup), not 1; otherwise trials are judged in warmup"),
        ("  objective: mae", "  objective: mae\n  enqueue: [{optimizer.momentu: 0.5}]", "study.enqueue.0.optimizer.momentu: is not searched; allowed: loss.terms.count.delta,"),
        ("  objective: mae", "  objective: mae\n  enqueue: [{optimizer.momentum: 0.5}, {optimizer.momentum: 2}]", "study.enqueue.1.optimizer.momentum: 2 is outside its range, 0.0 to 0.98"),
        ("  objective: mae", "  objective: mae\n  enqueue: [{loss.terms.count.kind: l3}]", "study.enqueue.0.loss.terms.count.kind: \"l3\" is not among its choices; allowed: l1, l2"),
        ("  sampler: tpe", "  sampler: cmaes", "study.sampler: cmaes does not support conditions, as in `loss.terms.count.delta`; use tpe"),
        ("  sampler: tpe", "  sampler: cmaes\n  also: [rmse]", "study.sampler: cmaes supports only one objective; remove study.also, or use tpe or nsga2"),
        ("  sampler: tpe", "  sampler: nsga2\n  cohort: '6'", "study.cohort: must be a whole number, not the text"),
        ("  sampler: tpe", "  sampler: nsga2\n  cohort: 1", "study.cohort: must be at least 2 for sampler nsga2, not 1"),
        ("  sampler: tpe", "  sampler: gp", "study.sampler: gp needs the package torch: pip install 'thalweg[gp]'"),
        ("  kind: heavy_ball ", "  kind: gradient_descent ", "study.space.optimizer.momentum: is never used: `gradient_descent` has no parameter `momentum`; allowed: clip, kind, learning_rate"),
        ("  space:\n", "  space:\n    schedule.every: {low: 1, high: 2}\n", "study.space.schedule.every: is never used: `cosine` has no parameter `every`"),
        ("  space:\n", "  space:\n    training.epochs: {choices: [4, 16]}\n    schedule.warmup: {low: 0.0, high: 4.0}\n", "study.space.schedule.warmup: must be below 4 (the fewest searched training.epochs), but reaches 4"),
        ("  members: 1 ", "  refit_epochs: 1\n  members: 1 ", "schedule.warmup: must be below 1 (the epochs of the shortest training), not 1"),
        ("  objective: mae", "  objective: mae\n  constraints: {bias: {low: 1, high: -1}}", "study.constraints.bias: `low` must not be above `high`"),
        ("  path: data ", "  background: '['\n  path: data ", "data.background: is not a regular expression (unterminated character set at position 0)"),
        ("  width: 12\n", "  width: 0\n", "model.width: must be at least 1, not 0"),
        ("optimizer:\n", "optimiser:\n", "optimiser: unknown key; allowed: seed, data, augment, task,"),
        ("  prune: null  ", "  prune: halving  ", 'study.prune: must be a mapping of keys to values, not the text "halving"; write `{first: 4, eta: 2}`, or `null` to stop no trial early; allowed: first, eta, brackets, audit'),
        ("  prune: null  ", "  prune: {eta: 2}  ", "study.prune.first: is missing"),
        ("  stop: {}  ", "  stop: 300  ", "study.stop: must be a mapping of keys to values, not 300; write `{epochs: 300}`, or `{}` to run all trials"),
        ("  objective: mae", "  objective: mae\n  constraints: {bias: 0.5}", "study.constraints.bias: must be a mapping of keys to values, not 0.5; write `{low: 0.5}`, `{high: 0.5}` or both"),
        ("      high: 0.98", "      high: 0.98\n    schedule.final: [0.0, 0.5]", "study.space.schedule.final: must be a mapping of keys to values, not a list of 2; write `{low: 0.0, high: 0.5}` for a range, or `{choices: [0.0, 0.5]}`; allowed: low, high"),
        ("      high: 0.98", "      high: 0.98\n    schedule.kind: [cosine, linear]", 'study.space.schedule.kind: must be a mapping of keys to values, not a list of 2; write `{choices: ["cosine", "linear"]}`'),
        ("      high: 0.98", "      high: 0.98\n    schedule.final: 0.5", "study.space.schedule.final: must be a mapping of keys to values, not 0.5; write `{low: …, high: …}` for a range, or `{choices: […]}`"),
        ("      role: scientific ", "      role: science ", 'study.space.loss.terms.count.kind.role: "science" is not known; allowed: scientific, nuisance; did you mean `scientific`?'),
        ("  learning_rate: 0.001", "  lr: 0.001", "optimizer.lr: unknown key; allowed: kind, learning_rate, clip, <numbers of optimizers>; did you mean `learning_rate`?"),
        ("    optimizer.momentum:\n", "    optimizer.mom:\n", "study.space.optimizer.mom: is not in this file; allowed: optimizer.kind, optimizer.learning_rate, optimizer.clip, <paths of optimizers>; did you mean `optimizer.momentum`?"),
        ("  members: 1 ", "  members: 9 ", "confirm.members: must be at most 8 (confirm.seeds) without a refit, not 9"),
        ("  objective: mae", "  objective: bias", 'study.objective: "bias" cannot be an objective of task `count`'),
        ("  validation: 0.2", "  validation: 0.9", "data.split: `validation` and `test` together must be below 1"),
        ("      low: 0.0003", "      low: 0.5", "study.space.optimizer.learning_rate: `low` must be below `high`"),
        ("      low: 0.0003", "      low: 0", "study.space.optimizer.learning_rate: `low` must be above 0 where `log`"),
        ("      high: 0.98", "      high: 0.98\n      whole: true", "study.space.optimizer.momentum: `low` and `high` must"),
        ("      high: 0.98", "      choices: [0.1]", "study.space.optimizer.momentum: has `choices`, so it cannot have `low`"),
        ("[l1, l2, huber, log_cosh, poisson]", "[l1, l2, huber, log_cosh, poisson, mse]", 'study.space.loss.terms.count.kind.choices.5: "mse" is not known; allowed: l1, l2, huber, log_cosh, poisson, charbonnier'),
        ("[l1, l2, huber, log_cosh, poisson]", "[l1, huber, l1]", "study.space.loss.terms.count.kind: `choices` needs at least one value and no value twice"),
        ("[l1, l2, huber, log_cosh, poisson]", "[huber, l1, []]", "study.space.loss.terms.count.kind.choices.2: must be text, a"),
        ("[l1, l2, huber, log_cosh, poisson]", "[huber, focal]", "study.space.loss.terms.count.kind.choices.1: `focal` does not suit this term; allowed: l1, l2,"),
        ("kind: huber}", "kind: hubert}", "study.space.loss.terms.count.delta.when.loss.terms.count.kind: hubert is not among"),
        ("kind: huber}", "kind: []}", "study.space.loss.terms.count.delta.when.loss.terms.count.kind: must name at least one"),
        ("{loss.terms.count.kind: huber}", "{optimizer.momentum: 0.5}", "study.space.loss.terms.count.delta.when.optimizer.mo"),
        ("{loss.terms.count.kind: huber}", "{schedule.final: 0.5}", "study.space.loss.terms.count.delta.when.schedule.final: is not searched"),
        ("    optimizer.momentum:\n      low", "    confirm.seeds:\n      low", "study.space.confirm.seeds: cannot be searched"),
        ("    optimizer.momentum:\n      low", "    seed:\n      low", "study.space.seed: cannot be searched"),
        ("    optimizer.momentum:\n      low", "    nowhere:\n      low", "study.space.nowhere: is not in this file; allowed: "),
        ("    optimizer.momentum:\n      low", "    loss.terms.mass.delta:\n      low", "study.space.loss.terms.mass.delta: is not"),
        ("    optimizer.momentum:\n      low", "    model.width:\n      low", "study.space.model.width: changes the compiled"),
        ("      high: 0.98", "      high: 0.98\n    model.kind: {choices: [cnn, linear]}", 'study.space.model.kind.choices.1: the text "linear" causes an error at model.'),
        ("      high: 0.98", "      high: 0.98\n    task.density: {choices: [0, 4]}", "study.space.task.density.choices.1: 4 causes an error at loss.terms.areas: is missing"),
        ("      high: 0.98", "      high: 0.98\n    training.epochs: {choices: [15, 0]}", "study.space.training.epochs.choices.1: must be at least 1"),
        ("  warmup: 1.0", "  warmup: 16.0", "schedule.warmup: must be below 16 (the epochs of the shortest training), not 16"),
        ("  epochs: 16", "  epochs: 1", "schedule.warmup: must be below 1 (the epochs of the shortest training), not 1"),
        ("  seeds: 8  ", "  epochs: 1\n  seeds: 8  ", "schedule.warmup: must be below 1 (the epochs of the shortest training), not 1"),
        ("      high: 0.98", "      high: 0.98\n    schedule.warmup: {low: 0, high: 20}", "study.space.schedule.warmup.high: must be below 16"),
        ("sections: []", "sections: [result, 3]", "report.sections.1: must be text, not 3"),
    ],
)  # fmt: skip
def test_cause_comes_before_effects(tmp_path: Path, old: str, new: str, line: str) -> None:
    lines = list_message_lines(tmp_path, edit_default_file((old, new)))
    assert 1 <= len(lines) <= 2, lines
    assert lines[0].partition(": ")[2].startswith(fill_in_families(line))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("      role: scientific ", "      role: science "),  # another parameter depends on this one, which is searched
        ("  learning_rate: 0.001", "  lr: 0.001"),  # learning_rate is not missing: it is misspelt
        ("optimizer:\n", "optimiser:\n"),
        ("    count:\n", "    cuont:\n"),
        ("      kind: l2  ", "      kind: cross_entropy  "),  # delta suits the term, if not this kind
    ],
)
def test_effects_of_errors_are_omitted(tmp_path: Path, old: str, new: str) -> None:
    assert len(list_message_lines(tmp_path, edit_default_file((old, new)))) == 1


SIZES = "  width: 12\n  depth: 3\n"
KINDS = "      high: 0.98\n    model.kind: {choices: [cnn, linear]}\n"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("      high: 0.98", "      high: 0.98\n    optimizer.clip: {choices: [null, 1.0]}"),
        ("      high: 0.98", "      high: 0.98\n    optimizer.b2: {choices: [null, 0.9]}\n    optimizer.kind: {choices: [adam]}"),
        (f"{SIZES}", ""),
        (f"{SIZES}", "  repeat: 1\n"),
    ],
)  # fmt: skip
def test_null_is_a_choice_of_optional_numbers(tmp_path: Path, old: str, new: str) -> None:
    assert list_message_lines(tmp_path, edit_default_file((old, new))) == []


@pytest.mark.parametrize("name", ["optimizer.learning_rate", "schedule.warmup", "model.depth", "schedule.final"])
def test_null_is_no_choice_of_other_values(tmp_path: Path, name: str) -> None:
    text = edit_default_file(
        ("    optimizer.momentum:\n      low: 0.0\n      high: 0.98", f"    {name}: {{choices: [null]}}")
    )
    lines = list_message_lines(
        tmp_path,
        text.replace("    optimizer.learning_rate:\n      low: 0.0003\n      high: 0.3\n      log: true\n", ""),
    )
    assert any(f": study.space.{name}.choices.0: must be " in line and "empty (null)" in line for line in lines), lines


def test_keys_of_one_kind_need_a_condition(tmp_path: Path) -> None:
    both = (SIZES, ""), ("  kind: cnn  ", "  kind: linear  ")
    assert list_message_lines(tmp_path, edit_default_file(*both, ("      high: 0.98\n", KINDS))) == []
    width = f"{KINDS}    model.width: {{choices: [4, 8], when: {{model.kind: cnn}}}}\n"
    assert list_message_lines(tmp_path, edit_default_file(*both, ("      high: 0.98\n", width))) == []
    (line,) = list_message_lines(
        tmp_path, edit_default_file(*both, ("      high: 0.98\n", width.replace(", when: {model.kind: cnn}", "")))
    )
    assert "study.space.model.width: is not in this file" in line
    without = width.replace(", when: {model.kind: cnn}", "")
    (line,) = list_message_lines(tmp_path, edit_default_file((SIZES, ""), ("      high: 0.98\n", without)))
    assert line.partition(": ")[2].startswith(
        'study.space.model.width: 8 with model.kind "linear" causes an error at model.width: unknown key'
    )


def test_partly_wrong_parameter_is_checked(tmp_path: Path) -> None:
    text = edit_default_file(
        ("role: scientific ", "role: science "), ("[l1, l2, huber, log_cosh, poisson]", "[focal, huber]")
    )
    lines = [line.partition(": ")[2] for line in list_message_lines(tmp_path, text)]
    kind = "study.space.loss.terms.count.kind"
    assert len(lines) == 2
    assert lines[0].startswith(f"{kind}.choices.0: `focal` does not suit this term; allowed: l1, l2,")
    assert lines[1].startswith(f'{kind}.role: "science" is not known; allowed: scientific, nuisance; did you mean')


def test_unknown_parameter_is_checked(tmp_path: Path) -> None:
    text = edit_default_file(
        ("    optimizer.momentum:\n", "    optimizer.momentom:\n"), ("      high: 0.98", "      high: -1")
    )
    lines = [line.partition(": ")[2] for line in list_message_lines(tmp_path, text)]
    assert lines[0] == "study.space.optimizer.momentom: `low` must be below `high`"
    assert lines[1].startswith("study.space.optimizer.momentom: is not in this file; allowed: optimizer.kind,")
    assert lines[1].endswith("did you mean `optimizer.momentum`?")
    assert len(lines) == 2


def test_term_of_a_task_option_names_the_option(tmp_path: Path) -> None:
    assert [
        line.partition(": ")[2]
        for line in list_message_lines(tmp_path, edit_default_file(("    count:\n", "    areas:\n")))
    ] == [
        "loss.terms.count: is missing; task `count` needs it: `count: {kind: l1}`",
        "loss.terms.areas: task `count` has this term only if `density` is one of 2, 4, 8, 16; it is 0; allowed: count",
    ]


def test_grid_requires_value_counts(tmp_path: Path) -> None:
    lines = [
        line.partition(": ")[2]
        for line in list_message_lines(tmp_path, edit_default_file(("  sampler: tpe", "  sampler: grid")))
    ]
    ranges = ["loss.terms.count.delta", "optimizer.learning_rate", "optimizer.momentum"]
    ask = "needs `points`, the number of values that sampler grid takes from the range"
    assert lines == [f"study.space.{name}: {ask}" for name in ranges]


def test_circular_conditions_are_named(tmp_path: Path) -> None:
    three = "".join(
        f"    {name}: {{choices: [0.1, 0.2], when: {{{other}: 0.1}}}}\n"
        for name, other in [
            ("optimizer.momentum", "schedule.final"),
            ("schedule.final", "schedule.warmup"),
            ("schedule.warmup", "optimizer.momentum"),
        ]
    )
    head = TEXT.partition("    loss.terms.count.kind:\n      choices")[0]
    lines = list_message_lines(tmp_path, head + three + "confirm: {}\nreport: {}\n")
    assert len(lines) == 3
    assert all("circular condition" in line for line in lines)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (b"seed: 0\n# \xff\n", "2: not UTF-8 text (invalid start byte); save it as UTF-8"),
        ("", "1: the file is empty; it must have the sections seed, data, augment,"),
        ("# nothing\n", "1: the file is empty; it must have"),
        ("- a\n- b\n", "1: the file is a list of 2; it must have"),
        ("just words\n", '1: the file is the text "just words"; it must have'),
        ("seed: 0\ndata:\n\tpath: data\n", "3:1: not valid YAML: there is a tab; use spaces\n    →path: data\n    ^"),
        ("seed: [0\ndata: 1\n", "1:7: not valid YAML: the `[` that opens here is not closed"),
        ("seed: 0\n---\nseed: 1\n", "2:1: not valid YAML: but found another document"),
        ("seed: 0\ndata: *nowhere\n", "2:7: not valid YAML: found undefined alias 'nowhere' (put quotes"),
        ("seed: 0\nx: \x00\n", "2: not valid YAML: "),
        ("seed: &a\n  b: *a\n", "1: not valid YAML: nested too deeply, or a section contains itself"),
        ("x: " + "[" * 500, "1: not valid YAML: nested too deeply"),
        ("seed: 0\ndata: {path: [a, 2020-99-99]}\n", "2: not valid YAML: a value cannot be read (month must be in"),
        ("# so long\nseed: " + "9" * 5000, "2: not valid YAML: a value cannot be read"),
        ("seed: 0\ndata: !mine {}\n", "2:7: not valid YAML: could not determine a constructor for the tag '!mine'"),
    ],
)
def test_file_without_params_is_refused(tmp_path: Path, text: str | bytes, line: str) -> None:
    lines = list_message_lines(tmp_path, text)
    assert len(lines) == 1
    assert lines[0].startswith(line)


def test_missing_file_has_no_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["check", "no/such.yaml"]) == 2
    assert capsys.readouterr().err == "no/such.yaml: cannot be read (No such file or directory)\n"


def test_repeated_keys_are_named_at_any_depth(tmp_path: Path) -> None:
    text = edit_default_file(
        ("  momentum: 0.9\n", "  momentum: 0.9\n  momentum: 0.8\n"),
        ("  kind: cosine ", "  final: '0'\n  kind: cosine "),
    )
    again, first = line_of(text, "  momentum: 0.8\n"), line_of(text, "  momentum: 0.9\n")
    quoted, final = line_of(text, "  final: '0'"), line_of(text, "  final: 0.0")
    assert list_message_lines(tmp_path, text) == [
        f"{again}: optimizer.momentum: duplicate key, first used in line {first}",
        f'{final}: schedule.final: must be a number, not the text "0"',
        f"{final}: schedule.final: duplicate key, first used in line {quoted}",
    ]


def test_byte_order_mark_and_crlf_are_accepted(tmp_path: Path) -> None:
    assert list_message_lines(tmp_path, b"\xef\xbb\xbf" + TEXT.replace("\n", "\r\n").encode()) == []


def test_exponents_are_accepted(tmp_path: Path) -> None:
    assert list_message_lines(tmp_path, edit_default_file(("learning_rate: 0.001", "learning_rate: 1e-3"))) == []
    assert load_config(tmp_path / "params.yaml") == load_config(PARAMS)


def test_check_prints_all_errors(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "bad.yaml"
    file.write_text(BAD)
    assert cli.main(["check", str(file)]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert f"{file}:82: extra: unknown key" in err
    ran = subprocess.run(
        [sys.executable, "-m", "thalweg", "check", str(file)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ran.returncode, ran.stdout, ran.stderr) == (2, "", err)


def test_check_describes_valid_file(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["check", str(PARAMS)]) == 0
    study = load_config(PARAMS).study
    assert (
        f"{study.trials} trials in {study.trials // study.cohort} cohorts of {study.cohort}" in capsys.readouterr().out
    )
