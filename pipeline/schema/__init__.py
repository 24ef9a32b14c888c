"""The strict base of every part of params.yaml."""
