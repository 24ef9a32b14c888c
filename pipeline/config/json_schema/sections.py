"""Sections of params.yaml as definitions of a JSON Schema, in the form of draft 7."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pydantic.json_schema import GenerateJsonSchema, models_json_schema
from pydantic_core import core_schema

from thalweg.schema.section import StrictModel

DIALECT = "http://json-schema.org/draft-07/schema#"
REFERENCE = "#/definitions/{model}"
_NAME = r"[A-Za-z_\u0080-\uffff][A-Za-z0-9_\u0080-\uffff]*"
DOTTED_PATH = rf"^{_NAME}(\.{_NAME})+$"
"""The pattern of a dotted path, as `thalweg.system.members.is_dotted` has it."""

Json = dict[str, Any]


@dataclass(frozen=True)
class Schema:
    """The definitions of a JSON Schema by name, and the name of each section's own."""

    definitions: dict[str, Json]
    names: dict[type[StrictModel], str]

    def find_section(self, section: type[StrictModel]) -> Json:
        """Return the definition of a section."""
        return self.definitions[self.names[section]]

    def follow_reference(self, tree: Json) -> Json:
        """Return the definition that a reference names; other trees as they are."""
        return self.definitions[tree["$ref"].rpartition("/")[2]] if "$ref" in tree else tree

    def refer_to(self, section: type[StrictModel]) -> Json:
        """Return a reference to the definition of a section."""
        return build_reference(self.names[section])


def build_reference(name: str) -> Json:
    """Build a reference to a definition."""
    return {"$ref": REFERENCE.format(model=name)}


def describe_sections(sections: Sequence[type[StrictModel]]) -> Schema:
    """Return the definitions of sections, and of all sections in them, as Pydantic has them."""
    references, tree = models_json_schema(
        [(section, "validation") for section in sections], ref_template=REFERENCE, schema_generator=_Draft7
    )
    names = {section: str(references[section, "validation"]["$ref"]).rpartition("/")[2] for section in sections}
    return Schema({name: _shorten_description(definition) for name, definition in tree["$defs"].items()}, names)


def describe_section(section: type[StrictModel]) -> Json:
    """Return the definition of a section without sections in it."""
    return _shorten_description(section.model_json_schema(ref_template=REFERENCE, schema_generator=_Draft7))


def _shorten_description(definition: Json) -> Json:
    """Drop the name of the class, and of its docstring all but the first paragraph: the rest is for developers."""
    text = " ".join(definition.get("description", "").split("\n\n")[0].split())
    return {key: value for key, value in definition.items() if key != "title"} | ({"description": text} if text else {})


class _Draft7(GenerateJsonSchema):
    """Pydantic writes draft 2020-12; the two differ in tuples only. A field's title would repeat its key."""

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002
        return False

    def tuple_schema(self, schema: core_schema.TupleSchema) -> Json:
        tree = super().tuple_schema(schema)
        return {"items" if key == "prefixItems" else key: value for key, value in tree.items()}
