"""Read pre-trained weights from the user's own files, or fetch them from the hub, verified."""

from fading.artefacts.job import Job
from fading.data import checkpoints

with Job(snakemake) as job:
    arrays, downloads = checkpoints.read(job.settings["checkpoint"], job.progress)
    job.write("weights", arrays, downloads=downloads)
