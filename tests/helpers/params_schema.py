"""The JSON Schema of params.yaml, as a validator that is not ours."""

from functools import cache
from typing import Any

from jsonschema import Draft7Validator

from thalweg.config.json_schema import build_json_schema


@cache
def build_validator() -> Draft7Validator:
    schema = build_json_schema()
    Draft7Validator.check_schema(schema)
    return Draft7Validator(schema)


def list_schema_errors(tree: Any) -> list[str]:
    """List the places of a params file that the schema refuses, each with the reason."""
    errors = build_validator().iter_errors(tree)
    return [f"{'.'.join(map(str, error.absolute_path))}: {error.message}" for error in errors]
