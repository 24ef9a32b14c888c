"""Several objectives: what is not beaten, and how it is drawn."""
