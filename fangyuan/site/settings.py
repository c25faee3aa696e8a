"""Settings, all from the environment. Nothing secret stands in a file of the project.

`DATABASE_URL` is the connection used, `FY_DATA` the data folder, `FY_TEST` marks a test run.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from fangyuan.site import assets

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("FY_DATA", ROOT / "var")).resolve()
TESTING = os.environ.get("FY_TEST") == "1"
DEBUG = os.environ.get("FY_DEBUG") == "1"


def _secret() -> str:
    if given := os.environ.get("FY_SECRET"):
        return given
    DATA.mkdir(parents=True, exist_ok=True)
    kept = DATA / "secret"
    if not kept.exists():
        try:
            with open(os.open(kept, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
                file.write(secrets.token_urlsafe(50))
        except FileExistsError:
            pass
    return kept.read_text()


def _database(url: str) -> dict[str, object]:
    parts = urlsplit(url)
    query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    options: dict[str, object] = {"application_name": os.environ.get("FY_PROCESS", "fangyuan")}
    for name in ("options", "sslmode", "sslrootcert"):
        if name in query:
            options[name] = query[name]
    # A pooler that shares connections between statements cannot keep prepared ones.
    if os.environ.get("FY_PREPARE", "1") != "0":
        options["prepare_threshold"] = 0
        # What is prepared is planned once: planning over all months takes longer than answering.
        options["options"] = f"{options.get('options', '')} -c plan_cache_mode=force_generic_plan"
    if not TESTING and os.environ.get("FY_POOL", "0") != "0":
        options["pool"] = {"min_size": 1, "max_size": int(os.environ["FY_POOL"]), "timeout": 10}
    return {
        "ENGINE": "fangyuan.core.postgres",
        "NAME": unquote(parts.path.lstrip("/")) or "fangyuan",
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": query.get("host", parts.hostname or ""),
        "PORT": str(parts.port or query.get("port", "")),
        "OPTIONS": options,
        "CONN_MAX_AGE": 0 if "pool" in options else None,
        "CONN_HEALTH_CHECKS": True,
        "TEST": {"NAME": os.environ.get("FY_TEST_DB", "test_fangyuan")},
    }


SECRET_KEY = _secret()
ALLOWED_HOSTS = os.environ.get("FY_HOSTS", "localhost,127.0.0.1,[::1],testserver").split(",")
CSRF_TRUSTED_ORIGINS = [o for o in os.environ.get("FY_ORIGINS", "").split(",") if o]
DATABASES = {"default": _database(os.environ.get("DATABASE_URL", "postgresql:///fangyuan"))}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

ROOMS = [
    "fangyuan.core",
    "fangyuan.org",
    "fangyuan.access",
    "fangyuan.engine",
    "fangyuan.desk",
    "fangyuan.metrics",
    "fangyuan.forms",
    "fangyuan.library",
    "fangyuan.marketing",
    "fangyuan.customers",
    "fangyuan.opportunities",
    "fangyuan.contracts",
    "fangyuan.activities",
    "fangyuan.supervision",
    "fangyuan.integration",
    "fangyuan.site",
]
INSTALLED_APPS = [
    *ROOMS,
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django_htmx",
    "template_partials.apps.SimpleAppConfig",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "fangyuan.desk.once.Once",
    "fangyuan.site.middleware.Manners",
    "fangyuan.site.middleware.LookingBack",
]
ROOT_URLCONF = "fangyuan.site.urls"
WSGI_APPLICATION = "fangyuan.site.wsgi.application"
_LOADERS: list[object] = [
    "django.template.loaders.filesystem.Loader",
    "django.template.loaders.app_directories.Loader",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "fangyuan.site.context.shell",
            ],
            "loaders": [
                (
                    "template_partials.loader.Loader",
                    _LOADERS if DEBUG else [("django.template.loaders.cached.Loader", _LOADERS)],
                )
            ],
            "builtins": ["template_partials.templatetags.partials"],
        },
    }
]

# Where people reach the product, for links in mails; and hosts of one's own network that messages
# may be sent to (`mail.corp.local`, `10.0.0.5:25`).
SITE_URL = os.environ.get("FY_URL", next(iter(CSRF_TRUSTED_ORIGINS), ""))
PRIVATE_HOSTS = [h for h in os.environ.get("FY_PRIVATE_HOSTS", "").lower().split(",") if h]

AUTH_USER_MODEL = "org.Person"
AUTHENTICATION_BACKENDS = ["fangyuan.site.signin.Backend"]
LOGIN_URL = "/login"
LOGIN_REDIRECT_URL = "/"
SESSION_COOKIE_AGE = 12 * 3600
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = os.environ.get("FY_HTTPS") == "1"
SESSION_ENGINE = "fangyuan.site.sessions"
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
PASSWORD_HASHERS = (
    ["django.contrib.auth.hashers.MD5PasswordHasher"]
    if TESTING
    else ["django.contrib.auth.hashers.ScryptPasswordHasher"]
)

LANGUAGE_CODE = "zh-hans"
TIME_ZONE = os.environ.get("FY_ZONE", "Asia/Shanghai")
USE_TZ = True
USE_I18N = True

STATIC_URL = "/static/" if DEBUG else f"/static/{assets.version()}/"
STATIC_ROOT = DATA / "static"
MEDIA_ROOT = DATA / "files"
WHITENOISE_USE_FINDERS = True
WHITENOISE_MAX_AGE = 0
WHITENOISE_IMMUTABLE_FILE_TEST = "^$" if DEBUG else "."
FILE_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2000

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:", "blob:"],
        "font-src": ["'self'", "data:"],
        "connect-src": ["'self'"],
        "frame-ancestors": ["'none'"],
        "base-uri": ["'none'"],
        "form-action": ["'self'"],
        "object-src": ["'none'"],
    }
}
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    "loggers": {"fangyuan": {"level": os.environ.get("FY_LOG", "INFO")}},
}
SILENCED_SYSTEM_CHECKS = ["auth.E003", "auth.W004", "fields.W342", "fields.E348"]
