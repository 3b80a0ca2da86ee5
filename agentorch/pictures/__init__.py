"""Pictures as SVG, out of plain data: no script, nothing from elsewhere, and nothing of a run or a plan in here."""

from agentorch.pictures.bundles import bundle, prose
from agentorch.pictures.graph import graph
from agentorch.pictures.parts import Box, Part, Row, Stretch
from agentorch.pictures.svg import sheet
from agentorch.pictures.timeline import heading, legend, timeline

__all__ = ["Box", "Part", "Row", "Stretch", "bundle", "graph", "heading", "legend", "prose", "sheet", "timeline"]
