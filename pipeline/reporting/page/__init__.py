"""From figures and findings to the page and to Markdown."""
