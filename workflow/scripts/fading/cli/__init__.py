"""The commands of `fading`: what a person types, and how answers are put.

Here belongs what turns arguments into calls of the library and results into lines. What is asked and answered does not:
the study's own questions are in provenance and experiments.
"""
