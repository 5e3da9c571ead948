"""Settings of the example: a development system, or one for the public, by environment alone.

The README beside `manage.py` lists the environment variables.
"""

from pathlib import Path

from config.environment import flag, items, number, required, text

BASE_DIR = Path(__file__).resolve().parent.parent

DEBUG = flag("EXAMPLE_DEBUG")
if DEBUG:
    SECRET_KEY = text("EXAMPLE_SECRET_KEY", "insecure-and-for-development-only")
    ALLOWED_HOSTS = items(text("EXAMPLE_ALLOWED_HOSTS", ".localhost,127.0.0.1,[::1]"))
    ORIGINS = items(text("EXAMPLE_ORIGINS", "self,null,file://"))  # the last two: pages in files
    ALLOW_LOCAL_PAGES = not text("EXAMPLE_ORIGINS")
else:
    SECRET_KEY = required("EXAMPLE_SECRET_KEY", "50 random characters")
    ALLOWED_HOSTS = items(required("EXAMPLE_ALLOWED_HOSTS", "app.example.com"))
    ORIGINS = items(required("EXAMPLE_ORIGINS", "https://app.example.com"))
    ALLOW_LOCAL_PAGES = False
PROXIES = number("EXAMPLE_PROXIES")

INSTALLED_APPS = [
    *(["daphne"] if DEBUG else []),  # its `runserver` serves WebSockets
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "channels",
    "corsheaders",
    "rest_framework",
    "rest_framework.authtoken",
    "channels_token_auth",
    "accounts",  # after authtoken, whose admin it replaces
    "hello",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "config.middleware.ContentSecurityPolicyMiddleware",
    "config.middleware.StaticFilesMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "config.urls"
ASGI_APPLICATION = "config.asgi.application"
# Read by daphne's `runserver`; `hello.servers` gives the same to the other servers.
DAPHNE_WEBSOCKET_MAX_MESSAGE_SIZE = DAPHNE_WEBSOCKET_MAX_FRAME_SIZE = 64 * 1024

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": text("EXAMPLE_DATABASE", str(BASE_DIR / "db.sqlite3")),
        "OPTIONS": {
            # Readers do not wait for the writer, and a second writer waits instead of failing.
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
            "transaction_mode": "IMMEDIATE",
        },
    },
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}
CACHES = {
    "default": {
        # Holds login attempts and tickets, for one process. With the default of 300 entries, a
        # flood of invented usernames would evict the counters.
        "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
        "OPTIONS": {"MAX_ENTRIES": 100_000},
    },
}

TIME_ZONE = "UTC"
USE_TZ = True
STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
# The page's own files are served at `/`, so that its relative links work as from a folder.
WHITENOISE_ROOT = BASE_DIR / "hello" / "page"
WHITENOISE_INDEX_FILE = True
WHITENOISE_ALLOW_ALL_ORIGINS = False

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]

REST_FRAMEWORK = {
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_THROTTLE_RATES": {
        "login-address": "60/min",
        "login-username": "10/min",
        "sign-out": "10/min",
    },
    # Without it the throttles would trust any X-Forwarded-For.
    "NUM_PROXIES": PROXIES,
    "URL_FORMAT_OVERRIDE": None,  # all answers are JSON
}

CORS_URLS_REGEX = r"^/(api|auth)/"
CORS_ALLOWED_ORIGINS = [origin for origin in ORIGINS if origin != "self"]
# The hosts of ALLOWED_HOSTS on every port: `config.origins` does the same for sockets.
LOCAL_PAGES = r"https?://(([a-z0-9-]+\.)*localhost|127\.0\.0\.1|\[::1\])(:[0-9]+)?"
CORS_ALLOWED_ORIGIN_REGEXES = [f"^{LOCAL_PAGES}$"] if ALLOW_LOCAL_PAGES else []
CORS_EXPOSE_HEADERS = ["Retry-After"]

CHANNELS_TOKEN_AUTH = {
    "BACKENDS": [{"BACKEND": "channels_token_auth.backends.drf.DRFTokenBackend"}],
    "LOCATIONS": [
        "header",
        "subprotocol",
        "ticket",
        *(["query"] if DEBUG or flag("EXAMPLE_QUERY_TOKEN") else []),
    ],
    "ALLOWED_ORIGINS": ORIGINS,
    "MAX_CONNECTION_AGE": number("EXAMPLE_MAX_CONNECTION_AGE") or None,
    "TRUSTED_PROXIES": PROXIES,
}

# All is in the memory of one process: its tickets, and its revocations.
SILENCED_SYSTEM_CHECKS = ["channels_token_auth.W004", "channels_token_auth.W007"]
if DEBUG:
    # The tutorial's clients put their token into the query.
    SILENCED_SYSTEM_CHECKS += ["channels_token_auth.W001"]
else:
    SECURE_SSL_REDIRECT = True
    # Load balancers ask over plain HTTP, and treat a redirect as a failure or follow it to a page.
    SECURE_REDIRECT_EXEMPT = [r"^auth/(ready|metrics)/$"]
    SECURE_HSTS_SECONDS = 365 * 24 * 60 * 60
    SESSION_COOKIE_SECURE = True
    CSRF_COOKIE_SECURE = True
    # Are all subdomains HTTPS only, and may they be preloaded as such? The domain's owner decides.
    SILENCED_SYSTEM_CHECKS += ["security.W005", "security.W021"]
    if PROXIES:
        SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {message}", "style": "{"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    "loggers": {
        # One line per request, without its query string, and the same on every server.
        "config.requests": {"level": "INFO"},
        # These would log the same a second time.
        "django.channels.server": {"level": "CRITICAL"},
        "django.request": {"level": "ERROR"},
    },
}
