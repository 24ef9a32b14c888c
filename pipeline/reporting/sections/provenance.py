"""The data and settings behind the report, and how to reproduce it."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from thalweg.reporting.finding import Finding
from thalweg.reporting.page.figures import Code, EmptyFigure, Figure, Table
from thalweg.reporting.tables import StudyTables
from thalweg.reporting.text import format_count, format_share, join_items
from thalweg.system.paths import MANIFEST

TITLE = "Provenance"
ORDER = 90
MAX_FAULT_ROWS = 50
LABEL_SUFFIXES = (".csv", ".json", ".txt", ".xml")
"""The suffixes of label files."""


def build_findings(tables: StudyTables) -> list[Finding]:
    excluded, warnings = tables.manifest.get("excluded") or [], tables.manifest.get("warnings") or []
    findings = [Finding("The data raised a warning.", str(warning), tone="caution") for warning in warnings]
    if excluded:
        used = sum((tables.manifest.get("examples") or {}).values())
        lost_count = len(_find_lost_examples(excluded))
        reasons = pd.Series([str(fault.get("reason", "")) for fault in excluded]).value_counts()
        by_count = sorted(reasons.items(), key=lambda pair: (-pair[1], pair[0]))
        counts = join_items([f"{reason} ({count})" for reason, count in by_count], 5)
        evidence = f"{format_count(len(excluded), 'fault')} in the source: {counts}. "
        step = f"Correct or remove the faulty data; {MANIFEST} lists every fault with its place."
        if lost_count:
            verdict = f"{format_count(lost_count, 'example')} could not be used."
            evidence += f"They exclude {format_share(lost_count, used + lost_count, 'example')}."
        else:
            verdict, evidence = "The data has faults, but every example was used.", evidence.rstrip()
        numbers = {"excluded": lost_count, "faults": len(excluded), "examples": used + lost_count}
        findings.append(Finding(verdict, evidence, step, tone="caution", numbers=numbers))
    return findings or [Finding("Every example could be used.", "The data raised no warning.", tone="good")]


def _find_lost_examples(excluded: Sequence[Mapping[str, Any]]) -> set[str]:
    """Return the names of the examples that these faults exclude; one example may have several faults.

    Harmless: a second row of an image (the first is used), and points or boxes of an image that is no example. A fault
    may also be of a label file as a whole, and name that.
    """
    harmless = ("this image already has a row", "this image has no row in labels.csv")
    harmless_places = {fault.get("where") for fault in excluded if str(fault.get("reason", "")).startswith(harmless)}
    faults = [fault for fault in excluded if fault.get("name") and fault.get("where") not in harmless_places]
    return {str(fault["name"]) for fault in faults if not str(fault["name"]).endswith(LABEL_SUFFIXES)}


def build_figures(tables: StudyTables) -> list[Figure]:
    manifest = tables.manifest
    figures: list[Figure] = [_build_data_figure(tables, manifest), _build_facts_table(tables)]
    if tables.output_kind == "class" and (counts := manifest.get("class_counts")):
        rows = pd.DataFrame({"class": manifest["classes"], **{split: counts[split] for split in _sort_splits(counts)}})
        figures.insert(1, Table("classes", "Examples of each class", "", rows, is_half_width=True))
    if excluded := manifest.get("excluded") or []:
        rows = pd.DataFrame([{name: fault.get(name, "") for name in ("name", "where", "reason")} for fault in excluded])
        caption = ""
        if len(rows) > MAX_FAULT_ROWS:
            caption = f"The first {MAX_FAULT_ROWS} of {len(rows):,}; {MANIFEST} has all."
        figures.append(Table("excluded", "Faults in the source", caption, rows.head(MAX_FAULT_ROWS)))
    if commands := tables.provenance.get("commands") or []:
        caption = "In a copy of the project with its data. The same kind of machine gives the same bytes."
        figures.append(Code("commands", "Reproduce this report", caption, [str(line) for line in commands]))
    return figures


def _build_data_figure(tables: StudyTables, manifest: Mapping[str, Any]) -> Figure:
    examples, groups = manifest.get("examples") or {}, manifest.get("groups") or {}
    if not examples:
        return EmptyFigure("data", "Data", "The manifest does not describe the data.")
    rows = pd.DataFrame({"split": _sort_splits(examples)})
    rows["examples"] = rows["split"].map(examples)
    if groups:
        rows["groups"] = rows["split"].map(groups)
    caption = f"Source: {manifest.get('source', 'unnamed')}."
    classes = manifest.get("classes") if tables.output_kind == "class" else None
    if classes:
        caption += f" {len(classes):,} {'class' if len(classes) == 1 else 'classes'}: {join_items(classes, 12)}."
    return Table("data", "Data", caption, rows, is_half_width=True)


def _sort_splits(names: Iterable[str]) -> list[str]:
    """Sort names of sets: training, validation and test, then others by name."""
    known = ["train", "validation", "test"]
    return sorted(names, key=lambda name: (known.index(name) if name in known else len(known), name))


def _name_models(tables: StudyTables) -> dict[str, Any]:
    """Return the kind of the file's model, and the winner's if the study searched it."""
    trials = tables.trials
    if "model.kind" not in trials or tables.winner is None:
        return {"model": tables.setting("model.kind")}
    kind = trials.loc[trials["number"] == tables.winner, "model.kind"].iloc[0]
    return {"model of the winner": kind, "model of params.yaml": tables.setting("model.kind")}


def _build_facts_table(tables: StudyTables) -> Table:
    provenance, setting = tables.provenance, tables.setting
    facts = {
        "task": setting("task.kind"),
        **_name_models(tables),
        "sampler": setting("study.sampler"),
        "trials": len(tables.trials) + tables.repeat_count,
        "different combinations": len(tables.trials) if tables.repeat_count else None,
        "cohort (trials proposed together)": setting("study.cohort"),
        "epochs": setting("training.epochs"),
        "epochs to confirm": setting("confirm.epochs"),
        "folds": setting("data.split.folds", 5) if setting("data.split.by") == "folds" else None,
        "seeds per trial": tables.seeds_per_trial,
        "seeds to confirm": setting("confirm.seeds"),
        "seed of params.yaml": setting("seed"),
        "device": provenance.get("device"),
        "fingerprint": provenance.get("fingerprint"),
        "data": f"sha256 {tables.manifest['sha256']}" if tables.manifest.get("sha256") else None,
        **dict(sorted((provenance.get("versions") or {}).items())),
    }
    rows = [{"fact": name, "value": str(value)} for name, value in facts.items() if value is not None]
    return Table("facts", "Facts", "", pd.DataFrame(rows, columns=["fact", "value"]), is_half_width=True)
