"""Correcting mis-predictions by a few steps on training examples that influence them, and finding planted errors.

names has the words, nesting says which test examples a run looks at, rankings orders the training examples for a
target, interventions trains on some of them, attempts says what is tried on a run's mis-predictions, success how often
it worked. planted and gallery are experiments of their own.
"""
