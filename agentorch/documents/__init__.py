"""Documents: YAML and JSON of people, read strictly, with the place of what is wrong; and JSON in what models write."""

from agentorch.documents.document import Document, read_document
from agentorch.documents.json_reading import read_json
from agentorch.documents.mark import DocumentError, clean_text
from agentorch.documents.model_text import Found, json_values, sole_value, spoken
from agentorch.documents.yaml_reading import read_yaml

__all__ = [
    "Document",
    "DocumentError",
    "Found",
    "clean_text",
    "json_values",
    "read_document",
    "read_json",
    "read_yaml",
    "sole_value",
    "spoken",
]
