"""Documents that people write: YAML and JSON, read strictly, with the place of what is wrong."""

from agentorch.documents.json_reading import read_json
from agentorch.documents.mark import DocumentError, clean_text
from agentorch.documents.yaml_reading import read_yaml

__all__ = ["DocumentError", "clean_text", "read_json", "read_yaml"]
