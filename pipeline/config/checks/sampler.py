"""What a study asks for beside its space: trials to begin with, and a sampler that suits."""

import importlib.util
from collections.abc import Iterator, Mapping
from typing import Any

from thalweg.config.study import Parameter
from thalweg.schema.problem import quoted, shown

Fault = tuple[tuple[str | int, ...], str, tuple[str, ...]]
"""Path below `study`, what is wrong, what is allowed."""

SAMPLER_PACKAGES = {"cmaes": ("cmaes", "cma"), "gp": ("torch", "gp")}
"""The package that a sampler needs, and the extra that brings it."""


def enqueue_problems(study: Mapping[str, Any], space: Mapping[str, Parameter]) -> Iterator[Fault]:
    """What is wrong with `study.enqueue`, which may leave parameters to the sampler."""
    enqueue = study.get("enqueue")
    for place, values in enumerate(enqueue if isinstance(enqueue, list | tuple) else ()):
        for name, value in values.items() if isinstance(values, dict) else ():
            here = ("enqueue", place, name)
            if name not in space:
                yield here, "is not searched", tuple(sorted(space))
                continue
            one = space[name]
            if one.choices is not None:
                if value not in one.choices:
                    yield (
                        here,
                        f"{quoted(value)} is not among its choices",
                        tuple(str(choice) for choice in one.choices),
                    )
                continue
            assert one.low is not None
            assert one.high is not None
            number = isinstance(value, int | float) and not isinstance(value, bool)
            if not number or not one.low <= value <= one.high or (one.whole and value != int(value)):
                whole = "whole numbers from " if one.whole else ""
                yield here, f"{shown(value)} lies outside its range, {whole}{one.low} to {one.high}", ()


def sampler_problems(study: Mapping[str, Any], space: Mapping[str, Parameter]) -> Iterator[Fault]:
    """What of the study its sampler cannot do."""
    sampler, here = study.get("sampler"), ("sampler",)
    if sampler == "cmaes" and study.get("also"):
        yield here, "cmaes has one objective only: remove study.also, or use tpe or nsga2", ()
    elif sampler == "cmaes" and study.get("constraints"):
        yield here, "cmaes knows no limits: remove study.constraints, or use tpe or nsga2", ()
    elif sampler == "cmaes":
        odd = {
            name: "choices" if one.choices is not None else "a condition" if one.when else ""
            for name, one in space.items()
        }
        for name, what in sorted(odd.items()):
            if what:
                yield here, f"cmaes searches ranges only, all at once: `{name}` has {what}; use tpe", ()
        if len(space) < 2:
            yield here, "cmaes searches at least two ranges; use tpe", ()
    if sampler == "grid":
        for name, one in sorted(space.items()):
            if one.choices is None and not one.whole and one.points is None:
                yield ("space", name), "needs `points`: how many values of its range the sampler grid takes", ()
    if sampler in ("cmaes", "nsga2") and study.get("cohort", 2) < 2:
        yield ("cohort",), f"{sampler} breeds from a cohort, which must have at least 2 trials", ()
    package, extra = SAMPLER_PACKAGES.get(str(sampler), ("", ""))
    if package and importlib.util.find_spec(package) is None:
        yield here, f"{sampler} needs the package {package}: pip install 'thalweg[{extra}]'", ()
