"""Django's settings. Everything that varies comes from the environment through `SandboxSettings`."""

import os
from pathlib import Path

from csp.constants import NONE, SELF, UNSAFE_INLINE

from menace_site.embedded.addresses import broker_url, database_settings, redis_url, secret_key
from menace_site.sandbox_settings import SandboxSettings, or_stop

BASE_DIR = Path(__file__).resolve().parent.parent
SANDBOX = or_stop(lambda: SandboxSettings.from_environ(os.environ))
DATA_DIR = SANDBOX.data_dir if SANDBOX.data_dir.is_absolute() else BASE_DIR / SANDBOX.data_dir

PRODUCTION = SANDBOX.production
DEBUG = SANDBOX.debug
SECRET_KEY = or_stop(lambda: secret_key(DATA_DIR, os.environ))
ALLOWED_HOSTS = SANDBOX.allowed_hosts
CSRF_TRUSTED_ORIGINS = SANDBOX.trusted_origins

INSTALLED_APPS = [
    "menace_site",
    "engines",
    "orphans",
    "alignment",
    "forecasting",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "axes",
    "csp",
    "django_htmx",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "rest_framework",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "servestatic.middleware.ServeStaticMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.middleware.gzip.GZipMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "menace_site.middleware.time_zone",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "menace_site.urls"
WSGI_APPLICATION = "menace_site.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "menace_site.context.chrome",
            ],
        },
    }
]

DATABASES = {"default": or_stop(lambda: database_settings(DATA_DIR, os.environ))}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
REDIS_URL = or_stop(lambda: redis_url(DATA_DIR, os.environ))
CACHES = {"default": {"BACKEND": "menace_site.cache.ResilientRedisCache", "LOCATION": REDIS_URL}}

AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "login"
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = 0.25  # hours
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]  # the name alone would let anybody lock anybody out
AXES_RESET_ON_SUCCESS = True
AXES_ENABLE_ADMIN = True
AXES_IPWARE_PROXY_COUNT = SANDBOX.proxy_count or None
AXES_VERBOSE = False
AXES_LOCKOUT_CALLABLE = "menace_site.errors.locked_out"
CSRF_FAILURE_VIEW = "menace_site.errors.csrf_failed"

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_I18N = False
USE_TZ = True

STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": (
            "servestatic.storage.CompressedManifestStaticFilesStorage"
            if PRODUCTION
            else "django.contrib.staticfiles.storage.StaticFilesStorage"
        )
    },
}
SERVESTATIC_USE_FINDERS = not PRODUCTION
SERVESTATIC_AUTOREFRESH = False

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        # Plotly and Swagger set style attributes; no <style> element and no foreign sheet gets in by this
        "style-src-attr": [UNSAFE_INLINE],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
        "manifest-src": [SELF],
    }
}
X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_HTTPONLY = True
CSRF_USE_SESSIONS = False
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = PRODUCTION
SECURE_SSL_REDIRECT = PRODUCTION and SANDBOX.ssl_redirect
SECURE_REDIRECT_EXEMPT = [r"^health$", r"^metrics$"]
SECURE_HSTS_SECONDS = 31_536_000 if PRODUCTION else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = PRODUCTION
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if SANDBOX.proxy_count else None
DATA_UPLOAD_MAX_MEMORY_SIZE = 1_000_000
DATA_UPLOAD_MAX_NUMBER_FIELDS = 200
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "menace_site.api.authentication.BearerToken",
        "menace_site.api.authentication.Session",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["menace_site.api.permissions.RoleAndScope"],
    "DEFAULT_RENDERER_CLASSES": ["menace_site.api.rendering.FiniteJSON"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "menace_site.api.rendering.OneFormat",
    "URL_FORMAT_OVERRIDE": None,
    "DEFAULT_PARSER_CLASSES": ["menace_site.api.parsers.StrictJSONParser"],
    "DEFAULT_FILTER_BACKENDS": [],
    "DEFAULT_METADATA_CLASS": None,
    "DEFAULT_PAGINATION_CLASS": "menace_site.api.pagination.Keyset",
    "DEFAULT_SCHEMA_CLASS": "menace_site.api.schema.Schema",
    "DEFAULT_THROTTLE_CLASSES": ["menace_site.api.throttling.PerToken"],
    "DEFAULT_THROTTLE_RATES": {"token": SANDBOX.api_rate, "anon": "60/min"},
    "EXCEPTION_HANDLER": "menace_site.api.problems.problem",
    "NUM_PROXIES": SANDBOX.proxy_count,
    "PAGE_SIZE": 50,
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Menace API",
    "VERSION": "1",
    "DESCRIPTION": "Everything that the pages show and do.",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SCHEMA_PATH_PREFIX": "/api/",
    "OAS_VERSION": "3.1.0",
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_NAME_OVERRIDES": {
        "CycleState": "engines.serializers.CYCLE_STATES",
        "StepState": "engines.serializers.STEP_STATES",
        "VersionState": "engines.serializers.VERSION_STATES",
        "StepName": "engines.domain.states.STEPS",
        "ModuleState": "menace_site.api.orphan_serializers.MODULE_STATES",
        "ModuleClass": "menace_site.api.orphan_serializers.CLASSES",
        "SelfTestState": "menace_site.api.orphan_serializers.BATCH_STATES",
        "ModuleRunState": "menace_site.api.orphan_serializers.RUN_STATES",
        "RevisionState": "menace_site.api.orphan_serializers.REVISION_STATES",
        "ScanState": "menace_site.api.orphan_serializers.SCAN_STATES",
        "PromotionState": "menace_site.api.promotion_serializers.STATES",
    },
}

CELERY_BROKER_URL = broker_url(DATA_DIR, os.environ)
CELERY_RESULT_BACKEND = None
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_MAX_MEMORY_PER_CHILD = 400_000  # KiB
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 10.0
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = False
CELERY_TASK_TIME_LIMIT = SANDBOX.task_time_limit
CELERY_TASK_SOFT_TIME_LIMIT = SANDBOX.task_time_limit - 30
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_BROKER_HEARTBEAT = 0
CELERY_TASK_PUBLISH_RETRY = False
CELERY_BROKER_TRANSPORT_OPTIONS = {
    # must exceed the hard time limit, or a running task is delivered a second time
    "visibility_timeout": SANDBOX.task_time_limit + 300,
    "unacked_restore_interval": 1,
    # a publisher gives up at once: the row waits in the database and the sweeper sends it later
    "max_retries": 1,
    "interval_start": 0,
    "interval_step": 0,
    "socket_timeout": 30,
    "socket_connect_timeout": 2,
    "health_check_interval": 25,
}
# far over any clock difference between machines: a worker whose clock is ahead would never sweep otherwise
BEAT_OPTIONS = {"expires": 6 * 3600}
CELERY_BEAT_SCHEDULE = {
    "sweep": {"task": "engines.tasks.sweep", "schedule": SANDBOX.sweep_seconds, "options": BEAT_OPTIONS},
    "tick-schedules": {"task": "engines.tasks.tick_schedules", "schedule": 10.0, "options": BEAT_OPTIONS},
    "sweep-self-tests": {
        "task": "orphans.tasks.sweep_self_tests",
        "schedule": SANDBOX.sweep_seconds,
        "options": BEAT_OPTIONS,
    },
    "refresh-verdicts": {
        "task": "forecasting.tasks.refresh_verdicts",
        "schedule": 60.0,
        "options": BEAT_OPTIONS,
    },
    "refresh-workflow-graphs": {
        "task": "engines.tasks.refresh_workflow_graphs",
        "schedule": 30.0,
        "options": BEAT_OPTIONS,
    },
}
if SANDBOX.stages_seconds:
    CELERY_BEAT_SCHEDULE["measure-stages"] = {
        "task": "engines.tasks.measure_stages",
        "schedule": SANDBOX.stages_seconds,
        "options": BEAT_OPTIONS,
    }
if SANDBOX.forecast_retrain_hours:
    CELERY_BEAT_SCHEDULE["retrain-forecasts"] = {
        "task": "forecasting.tasks.retrain_forecasts",
        "schedule": SANDBOX.forecast_retrain_hours * 3600,
        "options": BEAT_OPTIONS,
    }
CELERY_BEAT_SCHEDULE_FILENAME = str(DATA_DIR / "run" / "beat-schedule")
CELERY_BEAT_MAX_LOOP_INTERVAL = 5
CELERY_TIMEZONE = "UTC"

CYCLE_PARTS = "engines.services.parts.default_parts"
PREPARE_PROCESS = "menace_site.embedded.one_off.prepare_process"
"""Called before plain Python's first use of an engine: brings up the embedded servers."""

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "root": {"handlers": ["console"], "level": SANDBOX.log_level},
    # whoever waits for /health asks again and again, and the answer says all there is to say
    "filters": {
        "not_health": {
            "()": "django.utils.log.CallbackFilter",
            "callback": lambda record: getattr(getattr(record, "request", None), "path", "") != "/health",
        }
    },
    "loggers": {
        "axes": {"level": "WARNING"},
        "django.request": {"level": "ERROR", "filters": ["not_health"]},
        # a line for each wake-up, several a minute for ever
        "celery.worker.strategy": {"level": "WARNING"},
        "celery.app.trace": {"level": "WARNING"},
    },
}
