"""What the report was made from, and how to make it again."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from pipeline.paths import MANIFEST
from pipeline.reporting.charts import Blank, Code, Figure, Listing
from pipeline.reporting.findings import Finding
from pipeline.reporting.tables import Tables
from pipeline.reporting.words import listed, many

TITLE = "Provenance"
ORDER = 90
EXCLUDED = 50


def findings(tables: Tables) -> list[Finding]:
    excluded, warnings = tables.manifest.get("excluded") or [], tables.manifest.get("warnings") or []
    found = [Finding("A warning about the data.", str(warning), tone="caution") for warning in warnings]
    if excluded:
        images = len({each.get("name") for each in excluded})
        reasons = pd.Series([str(each.get("reason", "")) for each in excluded]).value_counts()
        parts = [
            f"{reason} ({count})" for reason, count in sorted(reasons.items(), key=lambda pair: (-pair[1], pair[0]))
        ]
        evidence = f"In {many(images, 'image')}: {listed(parts, 5)}. What has a fault is left out, row or image."
        step = "Mend them, or remove them from the source; each is listed below with its place."
        found.append(Finding(f"The data has {many(len(excluded), 'fault')}.", evidence, step, tone="caution"))
    return found or [Finding("Every example could be used.", "The data raised no warning.", tone="good")]


def charts(tables: Tables) -> list[Figure]:
    manifest, made = tables.manifest, tables.made
    figures: list[Figure] = [_data(manifest), _facts(tables)]
    if excluded := manifest.get("excluded") or []:
        rows = pd.DataFrame([{name: each.get(name, "") for name in ("name", "where", "reason")} for each in excluded])
        caption = f"The first {EXCLUDED} of {len(rows):,}; {MANIFEST} has all." if len(rows) > EXCLUDED else ""
        figures.append(Listing("excluded", "Faults in the data", caption, rows.head(EXCLUDED)))
    if commands := made.get("commands") or []:
        caption = "In a copy of the repository, with the same data: the same bytes on the same kind of machine."
        figures.append(Code("commands", "Make it again", caption, [str(line) for line in commands]))
    return figures


def _data(manifest: Mapping[str, Any]) -> Figure:
    examples, groups = manifest.get("examples") or {}, manifest.get("groups") or {}
    if not examples:
        return Blank("data", "Data", "The data is not described.")
    order = [part for part in ("train", "validation", "test") if part in examples]
    rows = pd.DataFrame({"part": [*order, *sorted(set(examples) - set(order))]})
    rows["examples"] = rows["part"].map(examples)
    if groups:
        rows["groups"] = rows["part"].map(groups)
    caption = f"From {manifest.get('source', 'an unnamed source')}."
    if classes := manifest.get("classes"):
        caption += (
            f" {many(len(classes), 'class').replace('classs', 'classes')}: {listed([str(c) for c in classes], 12)}."
        )
    return Listing("data", "Data", caption, rows, half=True)


def _facts(tables: Tables) -> Listing:
    made, setting = tables.made, tables.setting
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
    return Listing("facts", "Setting", "", pd.DataFrame(rows, columns=["what", "value"]), half=True)
