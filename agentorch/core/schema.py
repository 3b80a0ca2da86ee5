"""What the verifier and the planners ask of JSON Schemas, in one place.

Three answers: yes, no, and None for "cannot tell". Only a certain no is a problem; the rest shows at run time.
"""

from agentorch.core.assignability import assignable
from agentorch.core.literals import literal_problems
from agentorch.core.shapes import NULL, Schema, accepts_null, at, described, is_anything

__all__ = ["NULL", "Schema", "accepts_null", "assignable", "at", "described", "is_anything", "literal_problems"]
