"""Files that say how they were made: written with lineage and a seal, checked whenever they are read.

Here belong formats, lineage, and the job that scripts run in. What lineage tells of a whole study does not: that is
provenance.
"""
