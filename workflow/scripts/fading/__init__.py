"""The library of the study. Each subpackage is a storey, and imports run downwards only:

cli           the commands `fading trace`, `audit`, `compare`, `export` and `correct`
provenance    where a result came from and whether it still holds
plan          which jobs a study has, and with which settings
peers         other libraries beside ours, and what computations cost
figures       how figures look
experiments   what is measured, a file each
influence     the question that an estimator answers, and a file per estimator
derivatives   gradients of single examples, curvature, solvers, linear response
training      training, optimisers, counterfactuals
evidence      statistics, tables, claims
models        a model with its data and loss, and a file per model
data          a file per dataset, and the frozen encoder
artefacts     files that say how they were made, and the job that makes them
"""
