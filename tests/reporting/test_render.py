"""The page and the Markdown: whole, offline, safe and the same each time."""

import hashlib
import json
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

import pytest
from jinja2 import UndefinedError

from tests.helpers.paths import ROOT
from thalweg.reporting.page.html import build_environment, format_prose, hash_script
from thalweg.reporting.page.markdown import renumber_clips
from thalweg.reporting.render import render_html, render_markdown
from thalweg.reporting.sections import select_sections
from thalweg.reporting.tables import StudyTables

CASES = [
    "usual",
    "no trials",
    "hostile names",
    "classes",
    *(
        pytest.param(case, marks=pytest.mark.slow)
        for case in ("one trial", "all diverged", "all pruned", "no test", "images")
    ),
]


class Page(HTMLParser):
    """Elements with their attributes, scripts apart, and the text that a person reads."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[tuple[str, str]] = []
        self.words, self.inside = "", ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self.inside = tag
        if tag == "script":
            self.scripts.append((dict(attrs).get("type") or "", ""))

    def handle_endtag(self, tag: str) -> None:  # noqa: ARG002
        self.inside = ""

    def handle_data(self, data: str) -> None:
        if self.inside == "script":
            kind, text = self.scripts[-1]
            self.scripts[-1] = (kind, text + data)
        elif self.inside != "style":
            self.words += data


@pytest.fixture(scope="module")
def render_page(studies_by_case: dict[str, StudyTables]) -> Callable[[str], tuple[str, Page]]:
    @cache
    def read(case: str) -> tuple[str, Page]:
        text = render_html(studies_by_case[case], select_sections(studies_by_case[case]))
        return text, Page(text)

    return read


@pytest.mark.parametrize("case", CASES)
def test_page_is_self_contained(render_page: Callable[[str], tuple[str, Page]], case: str) -> None:
    _, read = render_page(case)
    for tag, attributes in read.elements:
        assert tag not in ("link", "iframe", "object", "embed", "base")
        for name in ("src", "href", "srcset", "action", "data", "poster"):
            if value := attributes.get(name):
                assert value.startswith(("#", "data:image/png;base64,")), (tag, value)
        assert not [name for name in attributes if name.startswith("on")]
    style = re.search(r"<style>(.*?)</style>", render_page(case)[0], re.S)
    assert style
    assert "url(" not in style[1]
    assert "@import" not in style[1]


@pytest.mark.parametrize("case", CASES)
def test_only_two_scripts_run(render_page: Callable[[str], tuple[str, Page]], case: str) -> None:
    _, read = render_page(case)
    running = [text for kind, text in read.scripts if kind != "application/json"]
    assert len(running) == 2
    policy = next(a["content"] for tag, a in read.elements if tag == "meta" and "http-equiv" in a)
    assert policy
    assert policy.startswith("default-src 'none'")
    assert all(hash_script(text) in policy for text in running)
    assert "alert(1)" not in "".join(running)


@pytest.mark.parametrize("case", CASES)
def test_charts_are_valid_json(render_page: Callable[[str], tuple[str, Page]], case: str) -> None:
    _, read = render_page(case)
    specs = [json.loads(text) for kind, text in read.scripts if kind == "application/json"]
    charts = [a for _, a in read.elements if a.get("class") == "chart"]
    assert len(specs) == len(charts) + 1  # the configuration
    assert all(a["role"] == "img" and a["aria-label"] for a in charts)
    for each in specs[:-1]:
        assert any(each["datasets"].values())
    assert not re.search(r"\b(NaN|nan|None|NaT|Infinity|inf)\b", read.words.replace("alert", ""))


@pytest.mark.parametrize("case", CASES)
def test_page_has_landmarks_and_headings(
    render_page: Callable[[str], tuple[str, Page]], studies_by_case: dict[str, StudyTables], case: str
) -> None:
    _, read = render_page(case)
    tags = [tag for tag, _ in read.elements]
    assert [tags.count(tag) for tag in ("h1", "main", "nav", "header", "footer", "title")] == [1] * 6
    titles = [a["id"] for tag, a in read.elements if tag == "h2" and (a.get("id") or "").endswith("-title")]
    assert len(titles) == tags.count("section") == len(select_sections(studies_by_case[case]))
    assert all(a.get("alt") for tag, a in read.elements if tag == "img")
    ids = [a["id"] for _, a in read.elements if "id" in a]
    assert len(ids) == len(set(ids))
    assert all(a["href"][1:] in ids for tag, a in read.elements if tag == "a" and a["href"])


def test_hostile_names_never_run(render_page: Callable[[str], tuple[str, Page]]) -> None:
    text, read = render_page("hostile names")
    assert "<script>alert" not in text
    assert text.count("<script") == len(read.scripts)
    assert sum(tag == "b" for tag, _ in read.elements) == 16  # one a picture, ours
    assert "駅" in read.words


RARE = ["\"&'<>", "{{ title }}{% if %}{# #}", "<script>alert(1)</script>", "`<i>`{{ 7 * 7 }}`", "&lt;script&gt;"]
HOSTILE = ["</script><!--", *(pytest.param(text, marks=pytest.mark.slow) for text in RARE)]


def name_everything(tables: StudyTables, text: str) -> StudyTables:
    """A study in which a person has called everything by one name."""
    return replace(
        tables,
        params={**tables.params, "report": {"title": text}},
        trials=tables.trials.replace({"loss.terms.count.kind": {"huber": text}}).rename(
            columns={"optimizer.clip": text}
        ),
        space=[replace(each, name=text) if each.name == "optimizer.clip" else each for each in tables.space],
        predictions=tables.predictions.assign(
            image=text + tables.predictions["image"], group=text + tables.predictions["group"]
        ),
        pictures=[each | {"image": text} for each in tables.pictures],
        typical_pictures=[each | {"image": text} for each in tables.typical_pictures],
        provenance=tables.provenance | {"device": text, "commands": [text]},
    )


@pytest.mark.parametrize("text", HOSTILE)
def test_names_add_no_elements(
    render_page: Callable[[str], tuple[str, Page]], counting_study: StudyTables, text: str
) -> None:
    named = name_everything(counting_study, text)
    read, before = Page(render_html(named, select_sections(named))), render_page("usual")[1]
    assert {tag for tag, _ in read.elements} == {tag for tag, _ in before.elements}
    assert [tag for tag, _ in read.elements].count("i") == [tag for tag, _ in before.elements].count("i")
    assert [text for kind, text in read.scripts if not kind] == [text for kind, text in before.scripts if not kind]
    assert read.words.count(text) > 4  # title and heading, device, command, columns of tables
    assert all((a["alt"] or "").startswith(text) for tag, a in read.elements if tag == "img")
    written = json.dumps(text)[1:-1]
    charts = [json.loads(each) for kind, each in read.scripts[:-3] if kind]
    assert any(written in json.dumps(chart["datasets"]) for chart in charts)


def test_json_cannot_end_its_script() -> None:
    value = {"</script>": ["<!--", "\u2028", "é", "-->", "]]>"]}
    text = build_environment().from_string("{{ value|tojson }}").render(value=value)
    assert not set(text) & set("<>\u2028")
    assert json.loads(text) == value


def test_code_is_marked_and_escaped() -> None:
    assert format_prose("`a<b`, <b> & 'c' `") == "<code>a&lt;b</code>, &lt;b&gt; &amp; &#39;c&#39; `"


def test_percent_sign_stays_with_its_number() -> None:
    assert format_prose("at 95 % of `5 %`, % alone") == "at 95\u00a0% of <code>5\u00a0%</code>, % alone"


def test_undefined_template_name_is_an_error() -> None:
    with pytest.raises(UndefinedError):
        build_environment().from_string("{{ missing }}").render()


def test_pictures_are_embedded_once(
    render_page: Callable[[str], tuple[str, Page]], counting_study: StudyTables
) -> None:
    text, read = render_page("usual")
    assert sum(tag == "img" for tag, _ in read.elements) == len(counting_study.pictures) + 4
    assert text.count("window.vegaEmbed") == 1


@pytest.mark.slow
def test_thousand_trials_are_light(draw_counting_study: Callable[[int], StudyTables]) -> None:
    tables = draw_counting_study(1000)
    assert len(render_html(tables, select_sections(tables)).encode()) < 3_000_000


SLOW = [
    pytest.param(case, marks=pytest.mark.slow) for case in ("one trial", "all pruned", "classes", "images", "no trials")
]


@pytest.mark.parametrize("case", ["hostile names", *SLOW])
def test_markdown_shows_its_figures(studies_by_case: dict[str, StudyTables], case: str) -> None:
    text, figures = render_markdown(studies_by_case[case], select_sections(studies_by_case[case]))
    assert set(re.findall(r"\]\(figures/(.+?)\)", text)) == set(figures)
    assert all(svg.startswith("<svg") for svg in figures.values())
    assert "<script" not in re.sub(r"^    .*$", "", text, flags=re.M)  # indented lines are code, shown as they are
    assert not re.search(r"\b(NaN|nan|None)\b", text)


def test_clip_ids_are_renumbered() -> None:
    svg = '<clipPath id="clip7"/><clipPath id="clip9"/><g clip-path="url(#clip9)"/><g clip-path="url(#clip7)"/>'
    assert renumber_clips(svg) == svg.replace("clip7", "clip0").replace("clip9", "clip1")


AGAIN = """
import hashlib, pathlib, sys
from tests.helpers.drawn_studies import build_counting_study
from thalweg.reporting.render import render_html, render_markdown
from thalweg.reporting.sections import select_sections
tables = build_counting_study(pathlib.Path(sys.argv[1]), 12)
text, figures = render_markdown(tables, select_sections(tables))
report = render_html(tables, select_sections(tables)) + text + "".join(name + figures[name] for name in figures)
print(hashlib.sha256(report.encode()).hexdigest())
"""


@pytest.mark.slow
def test_same_bytes_in_other_process(draw_counting_study: Callable[[int], StudyTables], tmp_path: Path) -> None:
    command = [sys.executable, "-c", AGAIN, str(tmp_path)]
    tables = draw_counting_study(12)
    text, figures = render_markdown(tables, select_sections(tables))
    report = render_html(tables, select_sections(tables)) + text + "".join(name + figures[name] for name in figures)
    environment = {"PYTHONHASHSEED": "7"}
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=environment, check=True)
    assert ran.stdout.strip() == hashlib.sha256(report.encode()).hexdigest()
