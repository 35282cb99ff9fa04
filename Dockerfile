# One image for web, worker and beat; compose.yaml says which one a container is.
FROM python:3.11-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /app
COPY requirements.txt requirements-dev.txt pyproject.toml ./
COPY scripts scripts
RUN scripts/bootstrap run && rm -f .venv/bin/uv .venv/bin/uvx

FROM python:3.11-slim
# git reads the bots' repositories
RUN apt-get update && apt-get install -y --no-install-recommends git && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --create-home --shell /usr/sbin/nologin menace \
    && mkdir -p /app /data && chown menace:menace /data
WORKDIR /app
COPY --from=build /app/.venv .venv
COPY . .
ENV PATH=/app/.venv/bin:$PATH PYTHONUNBUFFERED=1 DJANGO_SETTINGS_MODULE=menace_site.settings SANDBOX_DATA_DIR=/data
# the manifest of static files is made once, with throw-away values for what it does not use
RUN MENACE_PRODUCTION=1 DJANGO_SECRET_KEY=only-for-this-step DATABASE_URL=postgresql://none/none \
    REDIS_URL=redis://none SANDBOX_DATA_DIR=/tmp/build python manage.py collectstatic --noinput -v 0 \
    && rm -rf /tmp/build
USER menace
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=5s --start-period=40s CMD ["python", "scripts/container_health.py"]
CMD ["granian", "--interface", "wsgi", "--host", "0.0.0.0", "--port", "8000", "--workers", "2", \
     "--blocking-threads", "4", "--no-ws", "menace_site.wsgi:application"]
