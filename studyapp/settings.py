"""Django settings: one file, read from the environment, runs with none set. docs/settings.md explains each name."""

import os
from pathlib import Path
from urllib.parse import urlsplit

from kombu import Exchange, Queue

from studyapp.databases import database
from studyapp.env import env_bool, env_int, env_list, env_str, secret_key, writable_folder
from studyapp.safety import refuse_unsafe

BASE_DIR = Path(__file__).resolve().parent.parent
STATE_DIR = writable_folder((BASE_DIR / env_str("STATE_DIR", "var")).resolve())

DEBUG = env_bool("DEBUG", False)
SECRET_KEY = secret_key(STATE_DIR)
PORT = env_int("PORT", 8000, most=65_535)
PUBLIC_URL = env_str("PUBLIC_URL", f"http://127.0.0.1:{PORT}").rstrip("/")
ALLOWED_HOSTS = env_list("ALLOWED_HOSTS", ["127.0.0.1", "localhost", "[::1]", urlsplit(PUBLIC_URL).hostname or ""])
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]
# How many proxies in front write X-Forwarded-For; a count too high lets visitors choose what they are counted by.
TRUSTED_PROXIES = env_int("TRUSTED_PROXIES", 0, least=0)
# Text of one request, uploaded files apart. No form or study file here comes near.
DATA_UPLOAD_MAX_MEMORY_SIZE = 1_000_000

# Files that studies may read, beside the project itself
DATA_ROOTS = [
    (BASE_DIR / root).resolve() for root in env_list("DATA_ROOTS", [str(BASE_DIR), str(BASE_DIR / "../shared/data")])
]
DEVICE = env_str("DEVICE", "auto")  # auto = cuda where there is one, else cpu
# Half of the cores: pages and database need some, and torch's threads spin when they have to share theirs.
TORCH_THREADS = env_int("TORCH_THREADS", max(1, (os.cpu_count() or 1) // 2))
LEASE_SECONDS = env_int("LEASE_SECONDS", 300)
TASK_SECONDS = env_int("TASK_SECONDS", 30)
HANG_SECONDS = env_int("HANG_SECONDS", 900)
RECONCILE_SECONDS = env_int("RECONCILE_SECONDS", 15)

TEST_BUILD = env_bool("TEST_BUILD", False)
FAULT_AT = env_str("FAULT_AT", "")
refuse_unsafe(
    debug=DEBUG,
    secret_key=SECRET_KEY,
    hosts=ALLOWED_HOSTS,
    public_url=PUBLIC_URL,
    fault_at="" if TEST_BUILD else FAULT_AT,
)

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "studies",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "studies.middleware.ContentSecurityPolicy",
    "studies.middleware.NoNul",  # before anything reads the session
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "studies.middleware.GuessLimit",
    "studies.deleted_meanwhile.DeletedMeanwhile",
]

ROOT_URLCONF = "studyapp.urls"
WSGI_APPLICATION = "studyapp.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

DATABASES = {"default": database(env_str("DATABASE_URL", f"sqlite:///{STATE_DIR / 'db.sqlite3'}"))}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

MEDIA_ROOT = (BASE_DIR / env_str("MEDIA_ROOT", str(STATE_DIR / "media"))).resolve()
STORAGES = {
    "default": {"BACKEND": "studies.artefact_storage.ArtefactStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
STATIC_URL = "static/"
STATIC_ROOT = writable_folder(STATE_DIR / "static")
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = DEBUG

LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_I18N = False
USE_TZ = True

LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "studies"
LOGOUT_REDIRECT_URL = "login"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

# A plain-http lab network must work, so "secure" follows the address that people are given.
_HTTPS = urlsplit(PUBLIC_URL).scheme == "https"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _HTTPS
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 60 * 60 * 24 * 30  # sheets are resumable for days
CSRF_FAILURE_VIEW = "studies.views.errors.csrf_failure"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_SSL_REDIRECT = _HTTPS
SECURE_HSTS_SECONDS = 60 * 60 * 24 * 30 if _HTTPS else 0
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if _HTTPS else None
X_FRAME_OPTIONS = "DENY"
# Whether a whole domain and its subdomains are https for ever is for those who run the domain to say, not for one site.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]

# JSON only, no browsable pages; who may: the same access functions as the pages'.
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "studies.api.authentication.ApiTokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["studies.api.json_bodies.JsonBody"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "MultiViz studies",
    "DESCRIPTION": "Running studies by script. Authenticate with `Authorization: Token ...`; see docs/api.md.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "ENUM_NAME_OVERRIDES": {
        "StudyState": "studies.models.study.Study.State",
        "JobState": "studies.models.desk.DeskJob.State",
    },
}

CELERY_BROKER_URL = env_str("CELERY_BROKER_URL", "filesystem://localhost")
if CELERY_BROKER_URL.startswith("filesystem"):
    _MESSAGES = str(writable_folder(STATE_DIR / "broker" / "messages"))
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "data_folder_in": _MESSAGES,
        "data_folder_out": _MESSAGES,
        "control_folder": str(writable_folder(STATE_DIR / "broker" / "control")),
        "polling_interval": 0.1,
    }
# A task begins no group of rows after TASK_SECONDS, and a group that shows no life for HANG_SECONDS has hung. Then its
# lease runs out, and only later does a broker deliver its message again: time limit < lease < visibility time-out.
CELERY_TASK_TIME_LIMIT = TASK_SECONDS + HANG_SECONDS
if CELERY_BROKER_URL.startswith("redis"):
    CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": CELERY_TASK_TIME_LIMIT + 2 * LEASE_SECONDS}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None  # for ever
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_DEFAULT_QUEUE = "live"
# Computing, with or without a GPU, and what somebody waits for at a page
CELERY_TASK_QUEUES = [Queue(name, Exchange(name), routing_key=name) for name in ("cpu", "gpu", "live")]
CELERY_TASK_ROUTES = {"studies.tasks.work_task": {"queue": "gpu" if DEVICE.startswith("cuda") else "cpu"}}
CELERY_WORKER_HIJACK_ROOT_LOGGER = False

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "filters": {"mask_tokens": {"()": "studyapp.log_tokens.MaskTokens"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "plain", "filters": ["mask_tokens"]}},
    # Django's own handlers would write the same lines unmasked.
    "loggers": {"django": {"handlers": [], "propagate": True}, "django.server": {"handlers": [], "propagate": True}},
    "root": {"handlers": ["console"], "level": env_str("LOG_LEVEL", "WARNING")},
}
