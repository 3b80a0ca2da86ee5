"""Documents that people write: YAML and JSON, read strictly, with the place of what is wrong."""

from agentorch.documents.document import Document, read_document
from agentorch.documents.json_reading import read_json
from agentorch.documents.mark import DocumentError, clean_text
from agentorch.documents.yaml_reading import read_yaml

__all__ = ["Document", "DocumentError", "clean_text", "read_document", "read_json", "read_yaml"]
