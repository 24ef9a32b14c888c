"""Networks, one a file: each file's class `Model` is a kind of `model` in params.yaml."""

if __name__ != "thalweg.models":
    raise ImportError("import thalweg.models: under a second name every network would be loaded twice")
