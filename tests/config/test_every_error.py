"""A file full of mistakes: each is named in its line."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers.params_messages import (
    fill_in_families,
    list_message_lines,
)
from tests.helpers.paths import ROOT
from thalweg import cli

JARGON = re.compile(
    r"<class|Input|valid_|pydantic|Traceback|dict|tuple|NoneType|Section|Part\b|str\b|\bint\b|\bfloat\b"
)
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
diagnose: {}
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
18: augment.offline.shift: could make the labels of task `count` wrong; remove it, or set `task.density` to \
one of 2, 4, 8, 16; as it is, `count` allows only <moving no one>
20: augment.online.flip: must be a number, not true
21: augment.online.cutout: could make the labels of task `count` wrong; remove it
22: augment.online.blur: unknown key; allowed: <augmentations>
28: model.width: must be a whole number, not the text "12"
29: model.deepth: unknown key; allowed: width, depth
33: loss.terms.count.kind: `cross_entropy` does not suit this term; allowed: <regression>
34: loss.terms.count.weight: must be at least 0, not -1
35: loss.terms.count.dleta: unknown key; allowed: kind, weight, schedule, phases, <numbers of classification>
36: loss.terms.other: task `count` has no such term; allowed: count
37: loss.terms.other.kind: "foo" is not known; allowed: <losses>, or your own as \
`package.module.name`; did you mean `focal`?
39: optimizer.kind: "sgd" is not known; allowed: <optimizers>
40: optimizer.learning_rate: must be a number, not the text "0.1"
41: optimizer.momentum: must be below 1, not 1.0
42: optimizer.clip: must be a finite number, not .nan
44: schedule.kind: "cosin" is not known; allowed: <schedules>, or your own as \
`package.module.name`; did you mean `cosine`?
45: schedule.warmup: must be a finite number, not .inf
46: schedule.every: must be above 0, not 0
49: training.batch_size: must be a whole number, not empty (null)
50: training.validate_every: does not divide training.epochs, 10
52: study.name: must be text, not 3
53: study.sampler: "bayes" is not known; allowed: tpe, random, quasi_random
54: study.trials: 47 is not a multiple of study.cohort, 6; use 42 or 48
56: study.objective: "l2" cannot be an objective of task `count`; allowed: mae, rmse, exact
58: study.space.optimizer.learning_rat: is not in this file; allowed: optimizer.learning_rate, optimizer.kind, \
optimizer.momentum, optimizer.clip, optimizer.weight_decay, optimizer.b2, optimizer.eps; \
did you mean `optimizer.learning_rate`?
61: study.space.training.batch_size: changes the compiled program, so it needs a short list of `choices`
62: study.space.study.trials: cannot be searched
65: study.space.optimizer.momentum.high: must be below 1, not 1.5
66: study.space.optimizer.momentum.lo: unknown key; allowed: low, high, log, whole, points, choices, role, when; \
did you mean `low`?
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
