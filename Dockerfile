# The image of registro: the packages of requirements.lock, checked by hash, and nothing to build with.
# It runs as a user without name or home, on a file system that it need not write.
FROM python:3.11.13-slim-bookworm AS build
WORKDIR /source
COPY requirements.lock ./
RUN python -m venv /opt/registro \
 && /opt/registro/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes \
      --requirement requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY app app
COPY consumers consumers
COPY examples examples
COPY ledger ledger
COPY projections projections
COPY schemas schemas
RUN /opt/registro/bin/pip install --no-cache-dir --disable-pip-version-check --no-deps \
      --no-build-isolation . \
 && /opt/registro/bin/pip uninstall --yes --quiet hatchling editables pip \
 && python -m compileall -q /opt/registro/lib

FROM python:3.11.13-slim-bookworm
COPY --from=build /opt/registro /opt/registro
COPY --chmod=755 ops/image/entrypoint /opt/registro/bin/registro-entrypoint
COPY --chmod=755 ops/image/setup /opt/registro/bin/registro-setup
ENV PATH=/opt/registro/bin:$PATH \
    HOME=/tmp \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    REGISTRO_COLOR=never \
    REGISTRO_LOG_FORMAT=json \
    REGISTRO_LOG_LEVEL=info
WORKDIR /tmp
USER 10001:10001
ENTRYPOINT ["registro-entrypoint"]
CMD ["--help"]
