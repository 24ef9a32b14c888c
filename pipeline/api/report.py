"""The report of a study, as a notebook shows it."""

import html
import webbrowser
from dataclasses import dataclass
from pathlib import Path

from thalweg.system import files

HEIGHT = 720
"""The height of the frame, in pixels of the page."""
OWN_ADDRESS = '<base href="about:srcdoc">'
"""Links within the page would lead to the notebook: a frame without an address takes that of the page around it."""


@dataclass(frozen=True)
class Report:
    """The report of a study: one page, which needs no network.

    A notebook shows it in a frame of its own, where its charts react to the mouse. The output then holds the whole
    page, more than a megabyte: clear it before you commit the notebook.

    - `path`: the file of the page.

    ```python
    report = study.report()
    print(report.path)
    ```
    """

    path: Path

    def open(self) -> None:
        """Open the page in the web browser.

        ```python
        study.report().open()
        ```
        """
        webbrowser.open(self.path.as_uri())

    def _repr_html_(self) -> str:
        page = files.read_bytes(self.path).decode().replace("<head>", f"<head>{OWN_ADDRESS}", 1)
        style = f"width: 100%; height: {HEIGHT}px; border: 1px solid #8886; border-radius: 6px"
        # its scripts run, but reach nothing of the notebook
        sandbox = "allow-scripts allow-popups allow-downloads allow-modals"
        return f'<iframe title="Report" style="{style}" sandbox="{sandbox}" srcdoc="{html.escape(page)}"></iframe>'
