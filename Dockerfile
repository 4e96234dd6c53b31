# syntax=docker/dockerfile:1
# The page in the browser, and every command:
#   docker build -t cyclegan .                                    for the CPU
#   docker build -t cyclegan --build-arg TORCH=cu128 .            for NVIDIA GPUs; run it with --gpus all
#   docker run --rm -p 7860:7860 cyclegan                         the page
#   docker run --rm -v "$PWD:/data" cyclegan cyclegan translate horse2zebra photos -o out
# It works as user 1000. Where the folder is another user's: --user "$(id -u):$(id -g)" -e HOME=/data
FROM python:3.12-slim

# The name that PyTorch's index has for a kind of device: cpu, cu126, cu128 …
ARG TORCH=cpu
# Extras of the package: what one wants to do in the container. Fewer save little beside PyTorch.
ARG EXTRAS=app,emoji,eval,export,quick,solids,train

ENV PYTHONUNBUFFERED=1 PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1

# PyTorch first and by itself: it is large, and changes more rarely than the code.
RUN pip install "torch>=2.6" "torchvision>=0.21" --index-url "https://download.pytorch.org/whl/${TORCH}"

WORKDIR /opt/cyclegan
COPY setup.cfg pyproject.toml README.md LICENSE app.py ./
COPY cyclegan ./cyclegan
COPY datasets/*.toml ./datasets/
COPY pretrained ./pretrained
# hadolint ignore=DL3013  # the version is that of the files above
RUN pip install ".[${EXTRAS}]" && rm -r build *.egg-info

# Not root; what it fetches and makes lies in /data, where a folder of the host may be mounted.
RUN useradd --create-home --uid 1000 cyclegan && mkdir /data && chown cyclegan /data
USER 1000
WORKDIR /data
ENV CYCLEGAN_DATASETS=/data/datasets GRADIO_ANALYTICS_ENABLED=False ORT_DISABLE_TELEMETRY=1

EXPOSE 7860
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
  CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:7860/', timeout=4)"]
CMD ["python", "/opt/cyclegan/app.py", "--host", "0.0.0.0", "--port", "7860"]
