# One of the Python stacks of stacks/, from the same files that `paceline stack install` uses. compose.yaml has the
# arguments and the command of each.
#
#   docker build -f deploy/python.Dockerfile --build-arg STACK=fastapi -t paceline-fastapi .

FROM python:3.12-slim-bookworm
ARG STACK
ARG REQUIREMENTS=requirements.txt
# A second list, installed without dependencies; and packages of the system's.
ARG WITHOUT_DEPENDENCIES=
ARG SYSTEM=
RUN if [ -n "$SYSTEM" ]; then \
        apt-get update && apt-get install -y --no-install-recommends $SYSTEM && rm -rf /var/lib/apt/lists/*; \
    fi
WORKDIR /stack
COPY stacks/${STACK}/requirements*.txt ./
RUN --mount=type=cache,target=/root/.cache/pip \
    pip install -r "$REQUIREMENTS" \
 && if [ -n "$WITHOUT_DEPENDENCIES" ]; then pip install --no-deps -r "$WITHOUT_DEPENDENCIES"; fi
COPY stacks/${STACK}/ ./
RUN useradd --uid 65532 --create-home stack \
 && mkdir /models /cache \
 && chown stack /models /cache
USER stack
ENV HF_HUB_CACHE=/models \
    PYTHONUNBUFFERED=1
VOLUME ["/models", "/cache"]
EXPOSE 8000
STOPSIGNAL SIGTERM
CMD ["python", "-m", "uvicorn", "app.main:app", "--host", "0.0.0.0", "--port", "8000", "--no-access-log"]
