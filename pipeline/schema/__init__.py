"""The strict base of all sections of params.yaml, and their problems in plain words."""
