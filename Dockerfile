# syntax=docker/dockerfile:1
# The service alone: no PennyLane, no Keras of ours, no compiler. Build: docker build -t qlayer-service:latest .

FROM python:3.12-slim-bookworm AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
RUN python -m venv /opt/service
COPY locks/image.txt /build/locks/
RUN /opt/service/bin/pip install --require-hashes -r /build/locks/image.txt
WORKDIR /build
COPY pyproject.toml README.md LICENSE ./
COPY qlayer/_version.py qlayer/
COPY service service
RUN /opt/service/bin/pip install --no-deps --no-build-isolation . \
    && /opt/service/bin/python -m compileall -q /opt/service/lib

FROM python:3.12-slim-bookworm
# A fixed number, so that volumes and orchestrators can name it.
RUN groupadd --gid 10001 service && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /tmp service \
    && install --directory --owner service --group service /models
COPY --from=build /opt/service /opt/service
ENV PATH=/opt/service/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    SERVICE_MODELS=/models SERVICE_HOST=0.0.0.0 SERVICE_PORT=8000
USER 10001:10001
WORKDIR /tmp
VOLUME /models
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s --start-interval=1s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as r; r.urlopen('http://127.0.0.1:' + os.environ['SERVICE_PORT'] + '/healthz', timeout=2)"]
ENTRYPOINT ["python", "-m", "service"]
CMD ["serve"]
