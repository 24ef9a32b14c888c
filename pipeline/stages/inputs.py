"""Record what DVC does not see: the version of thalweg, and a user's own code, in a file for each other stage.

This stage runs each time. It imports no library that takes long.
"""

import sys

import thalweg
from thalweg.artifacts import own_code
from thalweg.artifacts.inputs import list_param_keys, read_pipeline
from thalweg.config.params_file import parse_params
from thalweg.system import files
from thalweg.system.counts import join_first
from thalweg.system.paths import INPUTS, PARAMS

MAX_LISTED = 5
"""Own modules in the line."""


def main() -> str:
    """Write the record of each stage in dvc.yaml that depends on one. Return what is recorded, in a line."""
    tree, _ = parse_params(PARAMS, files.read_bytes(PARAMS))
    sys.path[:] = own_code.find_folders(tree)  # the stages import own code, which may add some
    records = {}
    for stage, listed in read_pipeline().items():
        if own_code.name_record(stage).as_posix() in listed.get("deps", ()):
            records[stage] = own_code.build_record(tree, list_param_keys(listed))
    files.create_folder(INPUTS)
    for stage, record in records.items():
        files.write_json(own_code.name_record(stage), record)
    modules = sorted({module for record in records.values() for module in record["code"]})
    own = f"own code: {join_first(modules, MAX_LISTED)}" if modules else "no own code"
    note = own_code.describe_computed_imports(tree)
    return f"thalweg {thalweg.__version__}; {own}" + (f"\nnote: {note}" if note else "")
