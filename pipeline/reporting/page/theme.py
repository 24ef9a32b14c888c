"""Colours, fonts and mark shapes: one palette for page and figures, safe for the colour-blind.

After Okabe and Ito (2008), "Color universal design". Where a chart marks candidates, the baseline is orange, the
winner blue, and diverged trials are vermilion. In the page each is a CSS variable, so that dark mode and print follow.
"""

from typing import Any

COLOURS = {
    "paper": ("#fdfcf9", "#14181b"),
    "ink": ("#22262b", "#e7e5df"),
    "quiet": ("#646b73", "#9aa1a9"),
    "line": ("#e5e2da", "#2c3237"),
    "band": ("#f4f2ec", "#1b2024"),
    "plain": ("#7c8792", "#8f9aa5"),
    "faint": ("#b9c0c7", "#6a747d"),
    "winner": ("#0072b2", "#56b4e9"),
    "baseline": ("#b06f00", "#e6a52e"),
    "diverged": ("#d55e00", "#f0803c"),
    "step1": ("#e4eef2", "#1b2830"),
    "step2": ("#bed9e7", "#233a48"),
    "step3": ("#93c2db", "#2c5065"),
    "step4": ("#65a9ce", "#366986"),
    "step5": ("#338ec0", "#4285ab"),
    "depth0": ("#0b3c5d", "#0a2c47"),
    "depth1": ("#155a80", "#0f4465"),
    "depth2": ("#2479a3", "#185c82"),
    "depth3": ("#3f98be", "#2a769c"),
    "depth4": ("#6cb4cf", "#4790b0"),
    "depth5": ("#9bcdd9", "#6ca7bb"),
    "depth6": ("#c6e0d8", "#92b8b6"),
    "depth7": ("#e3e3c5", "#b0b99f"),
    "depth8": ("#ead9a9", "#bdae83"),
    "depth9": ("#e8cb8c", "#bd9f69"),
    "river": ("#c8102e", "#ff5a6e"),
}
"""Colours in light and dark mode. Light values are distinct, because the page replaces them by value."""
PAINT = {name: light for name, (light, _) in COLOURS.items()}
DARK_PALETTE = {name: dark for name, (_, dark) in COLOURS.items()}

CROSS_SHAPE = "M-1,-.6L-.6,-1L0,-.4L.6,-1L1,-.6L.4,0L1,.6L.6,1L0,.4L-.6,1L-1,.6L-.4,0Z"
BAR_SHAPE = "M-1,-.32H1V.32H-1Z"


def build_css_variables() -> str:
    """Return the palette as CSS variables: light, and dark if a screen prefers it; print is always light."""
    light, dark = (";".join(f"--{name}:{value}" for name, value in paint.items()) for paint in (PAINT, DARK_PALETTE))
    return f":root{{{light}}}\n@media screen and (prefers-color-scheme: dark){{:root{{{dark}}}}}\n"


FIGURE_FONT = "Liberation Sans, Arial, Helvetica, sans-serif"
PAGE_FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Liberation Sans", Arial, sans-serif'


def build_vega_config(font: str, background: str) -> dict[str, Any]:
    """Return the Vega-Lite config shared by all charts."""
    return {
        "background": background,
        "font": font,
        "padding": {"left": 2, "top": 4, "right": 6, "bottom": 2},
        "view": {"stroke": None},
        "axis": {
            "domain": False,
            "ticks": False,
            "gridColor": PAINT["line"],
            "labelColor": PAINT["quiet"],
            "labelFontSize": 11.5,
            "labelPadding": 7,
            "labelSeparation": 6,
            "titleColor": PAINT["quiet"],
            "titleFontSize": 12,
            "titleFontWeight": "normal",
            "titlePadding": 10,
        },
        "axisX": {"grid": False, "domain": True, "domainColor": PAINT["line"]},
        "axisY": {"tickCount": 5},
        "legend": {
            "orient": "top",
            "direction": "horizontal",
            "title": None,
            "labelColor": PAINT["quiet"],
            "labelFontSize": 12,
            "symbolSize": 60,
            "columnPadding": 12,
            "padding": 0,
            "offset": 12,
        },
        "title": {
            "anchor": "start",
            "frame": "group",
            "color": PAINT["quiet"],
            "fontSize": 12,
            "fontWeight": "normal",
            "offset": 12,
        },
        "text": {"color": PAINT["quiet"], "fontSize": 12},
        "point": {"filled": True, "opacity": 1},
        "rule": {"color": PAINT["line"]},
        "line": {"strokeWidth": 1.6, "strokeJoin": "round", "strokeCap": "round"},
    }
