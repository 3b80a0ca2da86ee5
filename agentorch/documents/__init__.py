"""Documents that people write: YAML and JSON, read strictly, with the place of what is wrong."""

from agentorch.documents.spelling import did_you_mean, nearest

__all__ = ["did_you_mean", "nearest"]
