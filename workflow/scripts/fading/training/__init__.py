"""Training as exact, repeatable arithmetic, and what it would have done with examples weighted otherwise.

Here belong optimisers, the order of batches, stretches of training and counterfactuals. Derivatives of what training
does are in derivatives; what is concluded from retraining is an experiment.
"""
