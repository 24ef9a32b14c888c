"""The search: what is varied, who proposes, in which order, and where results are kept."""
