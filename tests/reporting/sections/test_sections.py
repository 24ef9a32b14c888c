"""Every section is discovered and reports on every kind of study."""

import json
import pkgutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from thalweg.reporting import sections
from thalweg.reporting.page.figures import Chart, EmptyFigure, Table, build_vega_spec
from thalweg.reporting.sections import (
    Section,
    collect_findings,
    errors,
    find_sections,
    get_section_name,
    history,
    parameters,
    provenance,
    result,
    select_sections,
    trials,
)
from thalweg.reporting.tables import StudyTables
from thalweg.system.files import UserError
from thalweg.system.members import MemberError

RARE_CASES = [
    "no trials",
    "classes",
    "one trial",
    "all diverged",
    "all pruned",
    "single parameter",
    "no pictures",
    "no test",
    "images",
]
CASES = [
    "usual",
    "hostile names",
    "several terms",
    *(pytest.param(case, marks=pytest.mark.slow) for case in RARE_CASES),
]
ASKED = {get_section_name(section) for section in find_sections() if isinstance(section, sections.ConditionalSection)}
"""Sections that are not for every study."""


def test_sections_are_found_in_order() -> None:
    orders = [section.ORDER for section in find_sections()]
    assert orders == sorted(set(orders))
    assert {get_section_name(section) for section in find_sections()} == {
        file.name for file in pkgutil.iter_modules(sections.__path__)
    }
    named = [get_section_name(section) for section in find_sections()]
    assert (named[0], named[-1]) == ("result", "provenance")


def test_params_select_sections(counting_study: StudyTables) -> None:
    tables = replace(counting_study, params={"report": {"sections": ["provenance", "result"]}})
    assert [get_section_name(section) for section in select_sections(tables)] == ["provenance", "result"]
    assert select_sections(counting_study) == [
        section for section in find_sections() if get_section_name(section) not in ASKED
    ]
    titles = replace(counting_study, params={"report": {"sections": ["Provenance", "what matters"]}})
    assert [get_section_name(section) for section in select_sections(titles)] == ["provenance", "importance"]
    twice = replace(counting_study, params={"report": {"sections": ["result", "Result", "result"]}})
    assert [get_section_name(section) for section in select_sections(twice)] == ["result"]
    with pytest.raises(UserError, match=r"no section 'histry'\. Available: result, pareto"):
        select_sections(replace(counting_study, params={"report": {"sections": ["histry"]}}))


OWN = """
TITLE, ORDER = "Own {name}", 3
def build_findings(tables): return [1]
def build_figures(tables): return []
def is_applicable(tables): {body}
"""


def test_own_section_fails_in_one_sentence(
    counting_study: StudyTables, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "own_pages_of_test" / "deep").mkdir(parents=True)
    for name, body in {"fails": "return {}['a']", "lists": "return True", "deep/lists": "return True"}.items():
        (tmp_path / "own_pages_of_test" / f"{name}.py").write_text(OWN.format(name=name, body=body))

    def select_own(*names: str) -> list[Section]:
        listed = [f"own_pages_of_test.{name}" for name in names]
        return select_sections(replace(counting_study, params={"report": {"sections": ["result", *listed]}}))

    with pytest.raises(MemberError, match=r"fails` fails: KeyError: 'a' \(fails\.py, line 5\)"):
        select_own("fails")
    with pytest.raises(MemberError, match=r"deep\.lists` has the name or the title of the section `own_pages"):
        select_own("lists", "deep.lists")
    with pytest.raises(MemberError, match=r"lists` returns something else from `build_findings` than a list of them"):
        collect_findings(select_own("lists")[1], counting_study)


@pytest.fixture(scope="module")
def check_schema() -> Callable[[Chart], None]:
    """Check a chart against Vega-Lite's schema, which is slow: once where several are alike but for their data."""
    right: set[str] = set()

    def check(chart: Chart) -> None:
        spec = json.dumps(chart.spec_without_data)
        if spec not in right:
            chart.plot().to_dict()
        right.add(spec)

    return check


@pytest.mark.parametrize("case", CASES)
def test_every_section_has_findings_and_figures(
    studies_by_case: dict[str, StudyTables], check_schema: Callable[[Chart], None], case: str
) -> None:
    tables, ids = studies_by_case[case], []
    for section in find_sections():
        for finding in section.build_findings(tables):
            assert finding.verdict.endswith(".")
            assert "nan" not in (finding.verdict + finding.evidence + finding.next_step).lower().replace(
                "</script>", ""
            )
        figures = section.build_figures(tables)
        assert figures or get_section_name(section) in ASKED, f"{get_section_name(section)} is empty"
        for each in figures:
            ids.append(each.id)
            if isinstance(each, Chart):
                assert sum(len(table) for table in each.data.values()) > 0
                check_schema(each)
                assert build_vega_spec(each, 700)["datasets"]
            if isinstance(each, Table):
                assert len(each.rows)
    assert len(ids) == len(set(ids))


def test_lost_rows_are_reported(counting_study: StudyTables) -> None:
    (finding,) = trials.build_findings(replace(counting_study, trials=counting_study.trials.head(47)))
    assert (finding.verdict, finding.tone) == ("The trials do not add up.", "caution")
    assert finding.evidence.startswith("The table has 47 rows, the study counts 48.")


def test_gaining_search_goes_on(counting_study: StudyTables) -> None:
    falling = counting_study.trials.assign(state="complete", value=3.0 - 0.04 * counting_study.trials["number"])
    assert "--trials 96" in history.build_findings(replace(counting_study, trials=falling))[0].next_step
    flat = counting_study.trials.assign(state="complete", value=0.7)
    unmoved = history.build_findings(replace(counting_study, trials=flat))[0]
    assert unmoved.verdict == "It is unclear whether more trials would help."
    flat.loc[flat["number"] == 0, "value"] = 3.0
    assert (
        history.build_findings(replace(counting_study, trials=flat))[0].verdict
        == "The search has flattened out within this space."
    )


def test_nothing_to_draw_is_a_sentence(studies_by_case: dict[str, StudyTables]) -> None:
    for section in (result, history, parameters, errors):
        assert all(isinstance(each, EmptyFigure) for each in section.build_figures(studies_by_case["no trials"]))


def test_classes_are_counted_by_set(studies_by_case: dict[str, StudyTables]) -> None:
    study = studies_by_case["classes"]
    counts = {"test": [1, 1], "train": [3, 4], "validation": [1, 2]}  # in a file the names are sorted
    study = replace(study, manifest=study.manifest | {"classes": ["coat", "shirt"], "class_counts": counts})
    (table,) = [figure for figure in provenance.build_figures(study) if figure.id == "classes"]
    assert isinstance(table, Table)
    assert table.rows.to_dict("list") == {"class": ["coat", "shirt"], **counts}
    assert list(table.rows) == ["class", "train", "validation", "test"]


def test_faults_are_not_examples(counting_study: StudyTables) -> None:
    points = [
        {"name": "a.png", "where": f"points.csv:{line}", "reason": "`x` is not a number: far"} for line in (2, 3, 4)
    ]
    again = {"name": "b.png", "where": "labels.csv:5", "reason": "this image already has a row at labels.csv:3"}
    orphan = {"name": "d.png", "where": "points.csv:9", "reason": "this image has no row in labels.csv"}
    entry = {"name": "a.json", "where": "a.json:images[3]", "reason": "has no `id`"}
    manifest = {"examples": {"train": 1, "validation": 1, "test": 0}, "excluded": [*points, again, orphan, entry]}
    (finding,) = provenance.build_findings(replace(counting_study, manifest=manifest))
    assert finding.verdict == "1 example could not be used."
    assert finding.evidence.startswith("6 faults in the source:")
    assert "1 of 3 examples (33 %)" in finding.evidence
    assert "artifacts/prepared/manifest.json" in finding.next_step
    (finding,) = provenance.build_findings(replace(counting_study, manifest=manifest | {"excluded": [again, orphan]}))
    assert finding.verdict == "The data has faults, but every example was used."


def test_facts_name_the_model_of_the_winner(counting_study: StudyTables) -> None:
    (plain,) = [figure for figure in provenance.build_figures(counting_study) if figure.id == "facts"]
    assert isinstance(plain, Table)
    assert "model" in set(plain.rows["fact"])
    number = counting_study.trials["number"]
    kinds = counting_study.trials.assign(**{"model.kind": np.where(number == counting_study.winner, "cnn", "mlp")})
    (facts,) = [
        figure for figure in provenance.build_figures(replace(counting_study, trials=kinds)) if figure.id == "facts"
    ]
    assert isinstance(facts, Table)
    values = dict(zip(facts.rows["fact"], facts.rows["value"], strict=True))
    assert values["model of the winner"] == "cnn"
    assert values["model of params.yaml"] == dict(zip(plain.rows["fact"], plain.rows["value"], strict=True))["model"]
