"""Pictures as SVG, out of plain data: no script, nothing from elsewhere, and nothing of a run or a plan in here.

Most programs draw nothing: what draws is imported when it is first needed.
"""
