"""What the report was made from, and how to make it again."""

from collections.abc import Mapping, Sequence
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


def build_findings(tables: StudyTables) -> list[Finding]:
    excluded, warnings = tables.manifest.get("excluded") or [], tables.manifest.get("warnings") or []
    found = [Finding("A warning about the data.", str(warning), tone="caution") for warning in warnings]
    if excluded:
        used = sum((tables.manifest.get("examples") or {}).values())
        lost = len(_find_lost_examples(excluded))
        reasons = pd.Series([str(each.get("reason", "")) for each in excluded]).value_counts()
        by_count = sorted(reasons.items(), key=lambda pair: (-pair[1], pair[0]))
        told = join_items([f"{reason} ({count})" for reason, count in by_count], 5)
        evidence = f"{format_count(len(excluded), 'fault')} in the source: {told}. "
        evidence += (
            f"{format_share(lost, used + lost)} of the examples are left out for them." if lost else "All were used."
        )
        step = f"Mend the faults of the data, or remove them; {MANIFEST} has each with its place."
        verdict = (
            f"{format_count(lost, 'example')} could not be used."
            if lost
            else "The data has faults that cost no example."
        )
        found.append(Finding(verdict, evidence, step, tone="caution"))
    return found or [Finding("Every example could be used.", "The data raised no warning.", tone="good")]


def _find_lost_examples(excluded: Sequence[Mapping[str, Any]]) -> set[str]:
    """The examples that were lost by these faults, as far as they have a name; several faults may be of one.

    An image's further rows cost nothing: its first one is used. Nor do points and boxes of what is no example.
    """
    harmless = ("this image already has a row", "this image has no row in labels.csv")
    kept = {each.get("where") for each in excluded if str(each.get("reason", "")).startswith(harmless)}
    return {str(each["name"]) for each in excluded if each.get("name") and each.get("where") not in kept}


def build_figures(tables: StudyTables) -> list[Figure]:
    manifest, made = tables.manifest, tables.provenance
    figures: list[Figure] = [_build_data_figure(tables, manifest), _build_facts_table(tables)]
    if excluded := manifest.get("excluded") or []:
        rows = pd.DataFrame([{name: each.get(name, "") for name in ("name", "where", "reason")} for each in excluded])
        caption = ""
        if len(rows) > MAX_FAULT_ROWS:
            caption = f"The first {MAX_FAULT_ROWS} of {len(rows):,}; all of them are in {MANIFEST}."
        figures.append(Table("excluded", "Faults in the source", caption, rows.head(MAX_FAULT_ROWS)))
    if commands := made.get("commands") or []:
        caption = "In a copy of the repository, with the same data: the same bytes on the same kind of machine."
        figures.append(Code("commands", "Make it again", caption, [str(line) for line in commands]))
    return figures


def _build_data_figure(tables: StudyTables, manifest: Mapping[str, Any]) -> Figure:
    examples, groups = manifest.get("examples") or {}, manifest.get("groups") or {}
    if not examples:
        return EmptyFigure("data", "Data", "The data is not described.")
    order = [part for part in ("train", "validation", "test") if part in examples]
    rows = pd.DataFrame({"part": [*order, *sorted(set(examples) - set(order))]})
    rows["examples"] = rows["part"].map(examples)
    if groups:
        rows["groups"] = rows["part"].map(groups)
    caption = f"From {manifest.get('source', 'an unnamed source')}."
    classes = manifest.get("classes") if tables.output_kind == "class" else None
    if classes:
        caption += f" {len(classes):,} {'class' if len(classes) == 1 else 'classes'}: {join_items(classes, 12)}."
    return Table("data", "Data", caption, rows, is_half_width=True)


def _build_facts_table(tables: StudyTables) -> Table:
    made, setting = tables.provenance, tables.setting
    facts = {
        "task": setting("task.kind"),
        "model": setting("model.kind"),
        "sampler": setting("study.sampler"),
        "trials": len(tables.trials),
        "cohort": setting("study.cohort"),
        "epochs": setting("training.epochs"),
        "seeds a trial": setting("study.seeds"),
        "seeds to confirm": setting("confirm.seeds"),
        "first seed": setting("seed"),
        "device": made.get("device"),
        "fingerprint": made.get("fingerprint"),
        "data": f"sha256 {tables.manifest['sha256']}" if tables.manifest.get("sha256") else None,
        **dict(sorted((made.get("versions") or {}).items())),
    }
    rows = [{"what": name, "value": str(value)} for name, value in facts.items() if value is not None]
    return Table("facts", "Setting", "", pd.DataFrame(rows, columns=["what", "value"]), is_half_width=True)
