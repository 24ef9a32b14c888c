"""What a study asks for beside its space: trials to begin with, and a sampler that suits."""

import importlib.util
from collections.abc import Iterator, Mapping
from typing import Any

from thalweg.config.study import Parameter
from thalweg.schema.problem import Problem, quoted, shown

SAMPLER_PACKAGES = {"cmaes": ("cmaes", "cma"), "gp": ("torch", "gp")}
"""The package that a sampler needs, and the extra that brings it."""


def enqueue_problems(study: Mapping[str, Any], space: Mapping[str, Parameter]) -> Iterator[Problem]:
    """What is wrong with `study.enqueue`, which may leave parameters to the sampler."""
    enqueue = study.get("enqueue")
    for place, values in enumerate(enqueue if isinstance(enqueue, list | tuple) else ()):
        for name, value in values.items() if isinstance(values, dict) else ():
            here, one = ("study", "enqueue", place, name), space.get(name)
            if one is None:
                yield Problem(here, "is not searched", tuple(sorted(space)), name)
            elif not one.contains(value) and one.choices is not None:
                choices = tuple(str(choice) for choice in one.choices)
                yield Problem(here, f"{quoted(value)} is not among its choices", choices)
            elif not one.contains(value):
                whole = "whole numbers from " if one.whole else ""
                yield Problem(here, f"{shown(value)} lies outside its range, {whole}{one.low} to {one.high}")


def sampler_problems(study: Mapping[str, Any], space: Mapping[str, Parameter]) -> Iterator[Problem]:
    """What of the study its sampler cannot do."""
    sampler, here = study.get("sampler"), ("study", "sampler")
    if sampler == "cmaes" and study.get("also"):
        yield Problem(here, "cmaes has one objective only: remove study.also, or use tpe or nsga2")
    elif sampler == "cmaes" and study.get("constraints"):
        yield Problem(here, "cmaes knows no limits: remove study.constraints, or use tpe or nsga2")
    elif sampler == "cmaes":
        for name, one in sorted(space.items()):
            what = "choices" if one.choices is not None else "a condition" if one.when else ""
            if what:
                yield Problem(here, f"cmaes searches ranges only, all at once: `{name}` has {what}; use tpe")
        if len(space) < 2:
            yield Problem(here, "cmaes searches at least two ranges; use tpe")
    if sampler == "grid":
        for name, one in sorted(space.items()):
            if one.choices is None and not one.whole and one.points is None:
                what = "needs `points`: how many values of its range the sampler grid takes"
                yield Problem(("study", "space", name), what)
    if sampler in ("cmaes", "nsga2") and study.get("cohort", 2) < 2:
        yield Problem(("study", "cohort"), f"{sampler} breeds from a cohort, which must have at least 2 trials")
    package, extra = SAMPLER_PACKAGES.get(str(sampler), ("", ""))
    if package and importlib.util.find_spec(package) is None:
        yield Problem(here, f"{sampler} needs the package {package}: pip install 'thalweg[{extra}]'")
