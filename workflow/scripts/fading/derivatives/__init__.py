"""Derivatives of the loss and of training: gradients of single examples, curvature, solvers, the linear response.

Here belongs what is defined for any model, without knowing what it is wanted for. Scores made of derivatives are in
influence.
"""
