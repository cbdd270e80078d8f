"""Draw mis-predictions with the training examples that influence them most: images, sentences."""

from fading.artefacts.job import Job
from fading.experiments.correction.names import GRADIENT_DOT
from fading.figures import style
from fading.figures.pictures import draw, explain
from matplotlib import pyplot as plt

with Job(snakemake) as job:
    style.apply()
    table = job.read("table").fillna({"text": ""})
    table = table[table.method == GRADIENT_DOT]
    drawn = dict(zip(table.case.unique(), job.read("examples"), strict=True))
    targets = [rows for _, rows in table.groupby(["case", "test_index"], sort=False)]
    heights = [0.85 if (rows.text == "").all() else 1.25 for rows in targets]
    figure = plt.figure(figsize=(style.WIDTH, sum(heights) + 0.2))
    for part, rows in zip(figure.subfigures(len(targets), 1, height_ratios=heights), targets, strict=True):
        draw(part, rows, drawn[rows.case.iloc[0]])
    explain(figure)
    style.write(job, figure)
