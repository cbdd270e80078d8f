# The whole environment in one image; its command is the study. How to build and run it: docs/running.md.
ARG BASE=docker.io/library/python:3.11.7-slim-bookworm
FROM ${BASE}
RUN apt-get update \
 && apt-get install -y --no-install-recommends make \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /fading
COPY . .
RUN make env && rm -rf /root/.cache
ENV PATH=/fading/.venv/bin:$PATH
CMD ["snakemake"]
