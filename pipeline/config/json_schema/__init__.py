"""The JSON Schema of params.yaml, by which an editor completes and checks the file.

It comes from the sections that check the file, and from the families of kinds: what they declare, it has. It knows
keys, types, bounds and kinds. Rules across values are left to `thalweg check`, but for what the task decides.

The draft is 7: editors have known it longest, and the file needs nothing newer.
"""

import json

from thalweg.config.checks.file import SECTION_NAMES
from thalweg.config.experiment import RENAMED_SECTIONS, Config, ReportConfig, TrainingConfig
from thalweg.config.json_schema import across, kinds, space
from thalweg.config.json_schema.sections import DIALECT, Json, describe_sections
from thalweg.config.numbers import LossConfig
from thalweg.config.study import SAMPLERS, ParameterConfig, StudyConfig


def build_json_schema() -> Json:
    """Build the JSON Schema of a params file."""
    schema = describe_sections(
        [Config, LossConfig, ParameterConfig, ReportConfig, StudyConfig, TrainingConfig, *kinds.list_sections()]
    )
    kinds.add_kinds(schema)
    space.add_search_space(schema)
    across.add_rules(schema)
    schema.find_section(StudyConfig)["properties"]["sampler"] |= kinds.choose_name(dict.fromkeys(SAMPLERS, ""))
    sections = kinds.choose_name(dict.fromkeys(SECTION_NAMES, ""))
    # a pattern, because an editor would offer the names of an `enum`
    sections["anyOf"].append({"type": "string", "pattern": f"^({'|'.join(RENAMED_SECTIONS)})$"})
    schema.find_section(ReportConfig)["properties"]["sections"]["items"] = sections
    definitions = dict(sorted(schema.definitions.items()))
    return {"$schema": DIALECT, **definitions.pop(schema.names[Config]), "definitions": definitions}


def format_json_schema() -> str:
    """Return the JSON Schema as the text of a file."""
    return json.dumps(build_json_schema(), indent=1, ensure_ascii=False, allow_nan=False) + "\n"
