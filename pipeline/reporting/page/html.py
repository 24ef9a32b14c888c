"""The HTML page: findings and figures laid out by templates, which do all escaping."""

import base64
import hashlib
import re
from collections.abc import Collection, Sequence
from functools import cache

import vl_convert
from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup, escape

from thalweg.reporting.page.figures import Table
from thalweg.reporting.page.html_figures import build_chart_data, build_html_table, use_css_variables
from thalweg.reporting.page.parts import PageSection, ReportHead
from thalweg.reporting.page.pictures import read_picture
from thalweg.reporting.page.theme import PAGE_FONT, build_css_variables, build_vega_config
from thalweg.reporting.text import format_count
from thalweg.system.files import read_bytes
from thalweg.system.package_files import find_package_file
from thalweg.system.paths import name_script_bundle
from thalweg.system.sealed import read_sealed, write_sealed

PAGE_FOLDER = find_package_file("reporting", "page")
SCRIPT_FILES = ("page.js", "table.js", "trace.js")


def render_page(title: str, head: ReportHead, sections: Sequence[PageSection], trials: Collection[int]) -> str:
    """Return the whole document; findings link to the `trials` that have a row.

    The page loads nothing, and runs only our scripts, which a content security policy lists by hash.
    """
    scripts = [read_vega_bundle(), "\n".join(read_asset(file) for file in SCRIPT_FILES)]
    # ARIA labels on thousands of marks cost time, and nobody hears them: a chart is one image with a description
    config = build_vega_config(PAGE_FONT, "transparent") | {"aria": False}
    page = (
        build_environment()
        .get_template("templates/page.html")
        .render(
            title=title,
            head=head,
            sections=sections,
            anchors=trials,
            style=Markup(build_css_variables() + read_asset("page.css")),
            config=use_css_variables(config),
            scripts=[Markup(script) for script in scripts],
            hashes=[hash_script(script) for script in scripts],
        )
    )
    return f"{page}\n"


def render_table_page(title: str, lede: str, table: Table) -> str:
    """Return a document with one table, which loads nothing and runs no script."""
    style = Markup(build_css_variables() + read_asset("page.css"))
    page = (
        build_environment()
        .get_template("templates/table.html")
        .render(title=title, lede=lede, shown=table, style=style)
    )
    return f"{page}\n"


@cache
def build_environment() -> Environment:
    """Build the environment of the templates: each is compiled once per process, a missing name is an error."""
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
        "kind": lambda figure: type(figure).__name__.lower(),
        "many": format_count,
        "picture": read_picture,
        "prose": format_prose,
        "written": lambda figure: build_html_table(figure.rows, figure.title, figure.marked_rows),
    }
    # only ASCII, so that no line separator ends a script; `tojson` escapes characters that could end its element
    templates.policies["json.dumps_kwargs"] = {"allow_nan": False, "separators": (",", ":")}
    return templates


def format_prose(text: str) -> Markup:
    """Escape text, mark text between backticks as code, and keep a number and its percent sign on one line."""
    code = re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text)))
    return Markup(re.sub(r"(?<=\d) %", "\u00a0%", code))


def hash_script(script: str) -> str:
    """Return the hash of a script in the form of a content security policy."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"


def read_asset(name: str) -> str:
    """Read a file of this folder."""
    return read_bytes(PAGE_FOLDER / name).decode()


@cache
def read_vega_bundle() -> str:
    """Return Vega, Vega-Lite and Vega-Embed as one script. Bundling takes two seconds, so it is cached."""
    cached = name_script_bundle()
    content = read_sealed(cached)
    if content is None:
        content = str(vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;")).encode()
        write_sealed(cached, content)
    return content.decode()
