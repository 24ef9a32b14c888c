"""The terms of a loss: their curves, the sizes and angles of their gradients, and the effect of each."""

import numpy as np
import pandas as pd

from thalweg.reporting.analysis import ablation_effects
from thalweg.reporting.tables import StudyTables
from thalweg.stats.interval import Interval


def list_terms(tables: StudyTables) -> list[str]:
    """List the terms of the loss that have curves."""
    columns = dict.fromkeys(map(str, [*tables.curves, *tables.baseline_curves]))
    return [column[5:-5] for column in columns if column.startswith("term.") and column.endswith(".loss")]


def compute_term_curves(tables: StudyTables) -> pd.DataFrame:
    """Return the winner's mean curves over its lanes in the study; the baseline's if no trial won."""
    curves = tables.curves[tables.curves["trial"] == tables.winner] if len(tables.curves) else tables.curves
    curves = curves if len(curves) else tables.baseline_curves
    columns = [str(name) for name in curves if str(name).startswith(("term.", "terms."))]
    means: pd.DataFrame = curves.groupby("epoch", as_index=False)[columns].mean() if len(curves) else pd.DataFrame()
    return means


def compute_gradient_shares(tables: StudyTables) -> pd.DataFrame:
    """Return each term's share of the summed gradient norms: one row per epoch, one column per term."""
    curves = compute_term_curves(tables)
    norms = pd.DataFrame({name: curves[f"term.{name}.gradient"] for name in list_terms(tables)})
    shares: pd.DataFrame = norms.div(norms.sum(axis=1).replace(0.0, np.nan), axis=0)
    return shares.assign(epoch=curves["epoch"])


def compute_gradient_cosines(tables: StudyTables) -> pd.DataFrame:
    """Return the cosine between the gradients of every two terms: pair, epoch, cosine."""
    curves, cosines = compute_term_curves(tables), [pd.DataFrame(columns=["pair", "epoch", "cosine"])]
    for name in (str(column) for column in curves if str(column).endswith(".cosine")):
        first = next(term for term in list_terms(tables) if name.startswith(f"terms.{term}."))
        second = name.removeprefix(f"terms.{first}.").removesuffix(".cosine")
        cosines.append(
            pd.DataFrame({"pair": f"{first} and {second}", "epoch": curves["epoch"], "cosine": curves[name]})
        )
    return pd.concat(cosines[1:] or cosines, ignore_index=True)


def compute_term_effects(tables: StudyTables) -> dict[str, Interval]:
    """Return the change of the objective without each part of the loss, paired by seed."""
    effects = ablation_effects.compute_effects(tables)
    return {name: effect for name, effect in effects.items() if name not in ("images", "augmentation")}
