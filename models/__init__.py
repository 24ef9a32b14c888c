"""Networks, one a file: the class `Model` of a file is a kind of `model` in params.yaml."""

if __name__ != "thalweg.models":
    raise ImportError("import this package as thalweg.models; another name would load every network twice")
