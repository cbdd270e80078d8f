"""How figures look: one style, the names that people read, and drawings that several scripts share.

Here belongs how a thing is shown. Which numbers are shown is decided in experiments; a figure's own drawing is in its
script, in workflow/scripts/figures.
"""
