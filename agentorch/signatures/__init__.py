"""Typed functions as schemas: what goes in, what comes out, and what is wrong with a value, in words."""

from agentorch.signatures.inputs import (
    Inputs,
    has_json_form,
    inputs_of_model,
    inputs_of_parameters,
    inputs_of_schema,
    json_schema_of,
)
from agentorch.signatures.output import Output, output_of, output_of_type
from agentorch.signatures.reading import Parameter, Signature, first_paragraph, read_signature, visible_names
from agentorch.signatures.step_result import output_of_step
from agentorch.signatures.words import MalformedInput, error_words, joined, unknown_name
from agentorch.signatures.written_schema import written_inputs, written_schema

__all__ = [
    "Inputs",
    "MalformedInput",
    "Output",
    "Parameter",
    "Signature",
    "error_words",
    "first_paragraph",
    "has_json_form",
    "inputs_of_model",
    "inputs_of_parameters",
    "inputs_of_schema",
    "joined",
    "json_schema_of",
    "output_of",
    "output_of_step",
    "output_of_type",
    "read_signature",
    "unknown_name",
    "visible_names",
    "written_inputs",
    "written_schema",
]
