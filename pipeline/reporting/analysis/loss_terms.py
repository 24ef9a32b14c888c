"""The terms of a loss: their curves, how hard each pulls and against which others, and what each is worth."""

import numpy as np
import pandas as pd

from thalweg.reporting.analysis import ablation_effects
from thalweg.reporting.tables import StudyTables
from thalweg.stats.intervals import Interval


def list_terms(tables: StudyTables) -> list[str]:
    """The terms of the loss, where anything was noted of them."""
    columns = dict.fromkeys(map(str, [*tables.curves, *tables.baseline_curves]))
    return [column[5:-5] for column in columns if column.startswith("term.") and column.endswith(".loss")]


def compute_term_curves(tables: StudyTables) -> pd.DataFrame:
    """The winner's mean over its lanes in the study, by epoch; the baseline's where no trial won."""
    own = tables.curves[tables.curves["trial"] == tables.winner] if len(tables.curves) else tables.curves
    own = own if len(own) else tables.baseline_curves
    columns = [str(name) for name in own if str(name).startswith("term")]
    mean: pd.DataFrame = own.groupby("epoch", as_index=False)[columns].mean() if len(own) else pd.DataFrame()
    return mean


def compute_gradient_shares(tables: StudyTables) -> pd.DataFrame:
    """Each term's share of the summed norms of gradients: one row an epoch, a column a term."""
    known = compute_term_curves(tables)
    norms = pd.DataFrame({name: known[f"term.{name}.gradient"] for name in list_terms(tables)})
    shares: pd.DataFrame = norms.div(norms.sum(axis=1).replace(0.0, np.nan), axis=0)
    return shares.assign(epoch=known["epoch"])


def compute_gradient_cosines(tables: StudyTables) -> pd.DataFrame:
    """The cosine between every two terms' gradients: pair, epoch, cosine."""
    known, parts = compute_term_curves(tables), [pd.DataFrame(columns=["pair", "epoch", "cosine"])]
    for name in (str(column) for column in known if str(column).endswith(".cosine")):
        first = next(one for one in list_terms(tables) if name.startswith(f"terms.{one}."))
        second = name.removeprefix(f"terms.{first}.").removesuffix(".cosine")
        parts.append(pd.DataFrame({"pair": f"{first} and {second}", "epoch": known["epoch"], "cosine": known[name]}))
    return pd.concat(parts[1:] or parts, ignore_index=True)


def compute_term_effects(tables: StudyTables) -> dict[str, Interval]:
    """What the objective differs by without each part of the loss, seed by seed."""
    if tables.ablations.empty:
        return {}
    parts = [str(what) for what in dict.fromkeys(tables.ablations["what"]) if what not in ("images", "augmentation")]
    return {what: known for what in parts if (known := ablation_effects.compute_effect(tables, what))}
