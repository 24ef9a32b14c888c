"""One mistake in a params file: its cause is named, and not its effects."""

from pathlib import Path

import pytest

from tests.helpers.params_messages import (
    edit_experiment,
    fill_in_families,
    list_message_lines,
)


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("    kind: scenes ", "    kind: scenez ", 'data.source.kind: "scenez" is not known; allowed: <sources>, or your own as `package.module.name`; did'),
        ("  kind: count  ", "  kind: cuont  ", 'task.kind: "cuont" is not known; allowed: <tasks>, or your own as `package.module.name`; did you mean `count`?'),
        ("  kind: cnn  ", "  kind: cnnn  ", 'model.kind: "cnnn" is not known; allowed: cnn, '),
        ("  kind: cnn  ", "  kind: no.such  ", "model.kind: `no.such` is not there: no file `no.py` lies beside params.yaml, and no package `no` is installed"),
        ("  kind: cnn  ", "  kind: os.path  ", "model.kind: `os.path` must be a subclass of `flax.nnx.module.Module`"),
        ("  kind: cnn  ", "  kind: '..'  ", 'model.kind: ".." is not known'),
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
        ("  objective: mae", "  objective: mae\n  also: [rmsee]", 'study.also.0: "rmsee" cannot be an objective of task `count`; allowed: rmse, exact, or your own, listed in task.metrics; did'),
        ("  objective: mae", "  objective: mae\n  also: [mae]", 'study.also.0: "mae" is already an objective; allowed: rmse, exact'),
        ("  objective: mae", "  objective: mae\n  constraints: {biass: {low: 1}}", "study.constraints.biass: is not a metric of task `count`; allowed: mae, rmse, bias, exact, or your own, listed in task.metrics; did"),
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
        ("    optimizer.momentum:\n", "    optimizer.mom:\n", "study.space.optimizer.mom: is not in this file; allowed: optimizer.momentum, optimizer.kind, optimizer.learning_rate, optimizer.clip, optimizer.weight_decay, "),
        ("  members: 1 ", "  members: 9 ", "confirm.members: must be at most 8 (confirm.seeds) without a refit, not 9"),
        ("  objective: mae", "  objective: bias", 'study.objective: "bias" cannot be an objective of task `count`'),
        ("  validation: 0.2", "  validation: 0.9", "data.split: `validation` and `test` together must be below 1"),
        ("      low: 0.0003", "      low: 0.5", "study.space.optimizer.learning_rate: `low` must be below `high`"),
        ("      low: 0.0003", "      low: 0", "study.space.optimizer.learning_rate: `low` must be above 0 where `log`"),
        ("      high: 0.98", "      high: 0.98\n      whole: true", "study.space.optimizer.momentum: `low` and `high` must"),
        ("      high: 0.98", "      choices: [0.1]", "study.space.optimizer.momentum: has `choices`, so it cannot have `low`"),
        ("[l1, l2, huber, poisson]", "[l1, l2, huber, log_cosh, poisson, mse]", 'study.space.loss.terms.count.kind.choices.5: "mse" is not known; allowed: l1, l2, huber, log_cosh, poisson, charbonnier'),
        ("[l1, l2, huber, poisson]", "[l1, huber, l1]", "study.space.loss.terms.count.kind: `choices` needs at least one value and no value twice"),
        ("[l1, l2, huber, poisson]", "[huber, l1, []]", "study.space.loss.terms.count.kind.choices.2: must be text, a"),
        ("[l1, l2, huber, poisson]", "[huber, focal]", "study.space.loss.terms.count.kind.choices.1: `focal` does not suit this term; allowed: l1, l2,"),
        ("kind: huber}", "kind: hubert}", "study.space.loss.terms.count.delta.when.loss.terms.count.kind: \"hubert\" is not among"),
        ("kind: huber}", "kind: []}", "study.space.loss.terms.count.delta.when.loss.terms.count.kind: must name at least one"),
        ("{loss.terms.count.kind: huber}", "{optimizer.momentum: 0.5}", "study.space.loss.terms.count.delta.when.optimizer.mo"),
        ("{loss.terms.count.kind: huber}", "{schedule.final: 0.5}", "study.space.loss.terms.count.delta.when.schedule.final: is not searched"),
        ("    optimizer.momentum:\n      low", "    confirm.seeds:\n      low", "study.space.confirm.seeds: cannot be searched"),
        ("    optimizer.momentum:\n      low", "    seed:\n      low", "study.space.seed: cannot be searched"),
        ("    optimizer.momentum:\n      low", "    nowhere:\n      low", "study.space.nowhere: is not in this file; allowed: "),
        ("    optimizer.momentum:\n      low", "    loss.terms.mass.delta:\n      low", "study.space.loss.terms.mass.delta: is not"),
        ("    optimizer.momentum:\n      low", "    model.width:\n      low", "study.space.model.width: changes the compiled"),
        ("      high: 0.98", "      high: 0.98\n    model.kind: {choices: [cnn, linear]}", "study.space.model.kind: `linear` has no `width` and `linear` has no `depth`, unlike the model of this file; search `model.width: {choices: [12], when: {model.kind: [cnn]}}` and `model.depth: {"),
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
    lines = list_message_lines(tmp_path, edit_experiment((old, new)))
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
    assert len(list_message_lines(tmp_path, edit_experiment((old, new)))) == 1
