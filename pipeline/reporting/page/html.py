"""The page: figures and findings laid out by templates. All escaping is theirs."""

import base64
import hashlib
import re
from collections.abc import Collection, Mapping, Sequence
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import vl_convert
from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup, escape

from thalweg.reporting.page.html_figures import build_chart_data, build_html_table, use_css_variables
from thalweg.reporting.page.pictures import read_picture
from thalweg.reporting.page.theme import PAGE_FONT, build_css_variables, build_vega_config
from thalweg.reporting.text import format_count
from thalweg.system.files import read_bytes, write_text

PAGE_FOLDER = Path(__file__).parent
CACHE_FOLDER = Path(".thalweg")
SCRIPT_FILES = ("page.js", "table.js", "trace.js")


def render_page(
    title: str, head: Mapping[str, Any], sections: Sequence[Mapping[str, Any]], trials: Collection[int]
) -> str:
    """Return the whole document; findings lead to those `trials` that have a row.

    Nothing leaves it, and nothing runs but our scripts, known by their hashes.
    """
    scripts = [_read_vega_bundle(), "\n".join(read_asset(file) for file in SCRIPT_FILES)]
    # a mark of its own words for each of thousands of marks costs time, and nobody is told: the chart is one image
    quiet = build_vega_config(PAGE_FONT, "transparent") | {"aria": False}
    page = (
        build_environment()
        .get_template("templates/page.html")
        .render(
            title=title,
            head=head,
            sections=sections,
            anchors=trials,
            style=Markup(build_css_variables() + read_asset("page.css")),
            config=use_css_variables(quiet),
            scripts=[Markup(script) for script in scripts],
            hashes=[hash_script(script) for script in scripts],
        )
    )
    return f"{page}\n"


@cache
def build_environment() -> Environment:
    """Make what reads the templates; each is compiled once a process. A name that one lacks is an error."""
    templates = Environment(
        loader=FunctionLoader(read_asset),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    templates.filters |= {
        # a dotted name may break after a dot
        "breakable": lambda text: Markup("<wbr>").join(re.split(r"(?<=[a-z]\.)(?=[a-z])", text)),
        "chart_data": build_chart_data,
        "kind": lambda shown: type(shown).__name__.lower(),
        "many": format_count,
        "picture": read_picture,
        "prose": mark_code,
        "written": lambda shown: build_html_table(shown.rows, shown.title, shown.marked_rows),
    }
    # ASCII alone, so that no separator of lines ends a script; `tojson` itself escapes what could end its element
    templates.policies["json.dumps_kwargs"] = {"allow_nan": False, "separators": (",", ":")}
    return templates


def mark_code(text: str) -> Markup:
    """Escape text, and mark as code what stands between backticks."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))


def hash_script(script: str) -> str:
    """Return a script's hash as a content security policy names it."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"


def read_asset(name: str) -> str:
    """Read a file of this folder."""
    return read_bytes(PAGE_FOLDER / name).decode()


@cache
def _read_vega_bundle() -> str:
    """Vega, Vega-Lite and Vega-Embed as one script; it takes two seconds to put together, so it is kept."""
    kept = CACHE_FOLDER / f"vega-{version('vl-convert-python')}.js"
    if not kept.exists():
        write_text(kept, str(vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;")))
    return read_bytes(kept).decode()
