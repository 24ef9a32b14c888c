"""Networks, one a file: the class `Model` of a file is a kind of `model` in params.yaml."""

if __name__ != "thalweg.models":
    raise ImportError("import thalweg.models, not the folder models; a second name would load every network twice")
