"""Where a result came from and whether it still holds: a study's folder, history, audit, comparison, crate, archive.

Here belongs what asks finished files. Writing them is in artefacts, saying which there should be in plan.
"""
