# The whole environment in one image; its command is the study. How to build and run it: docs/running.md.
ARG BASE=docker.io/library/debian:bookworm-20250520-slim
FROM ${BASE}
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates make python3 python3-venv \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /fading
COPY . .
RUN make env && rm -rf /root/.cache
ENV PATH=/fading/.venv/bin:$PATH
CMD ["snakemake"]
