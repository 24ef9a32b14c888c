"""The search: proposals, cohorts, trials, and the tables of a study."""
