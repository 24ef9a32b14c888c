"""The stages of dvc.yaml: thin entry points that read, call and write."""
