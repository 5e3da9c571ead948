"""A site with single sign-on: people log in at the provider, by django-allauth."""

import json
import os

PROVIDER = os.environ["OPENID_PROVIDER"]
REDIS = os.environ["OPENID_REDIS"]
FIND_USER = "tests.providers.project.people.find_user"
KEYS = {"jwks_url": f"{PROVIDER}/jwks", "algorithms": ["RS256"], "issuer": PROVIDER}

ALLOWED_HOSTS = ["127.0.0.1"]
CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS}}
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.core.RedisChannelLayer",
        "CONFIG": {"hosts": [REDIS]},
    }
}
CHANNELS_TOKEN_AUTH = {
    "BACKENDS": [
        {
            "BACKEND": "channels_token_auth.backends.jwt.JWTBackend",
            "OPTIONS": KEYS | {"audience": "api", "profile": "at+jwt", "user": FIND_USER},
        }
    ],
    "IDENTITY_PROVIDERS": [
        {
            "ISSUER": PROVIDER,
            "AUDIENCE": "web",
            "JWKS_URL": f"{PROVIDER}/jwks",
            "ALGORITHMS": ["RS256"],
            "BACKENDS": ["jwt"],
            "ENDPOINTS": ["backchannel-logout"],
            "USER": FIND_USER,
        }
    ],
}
DATABASES = {"default": json.loads(os.environ["WIRE_DATABASE"])}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.sessions",
    "allauth",
    "allauth.account",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "channels_token_auth",
    "tests.providers.project",
]
LOGIN_REDIRECT_URL = "/me"
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
]
ROOT_URLCONF = "tests.providers.project.urls"
SECRET_KEY = "of no worth: these servers live for one test run on the loopback interface"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {"context_processors": ["django.template.context_processors.request"]},
    }
]
USE_TZ = True

ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_SIGNUP_FIELDS = ["username*"]
SOCIALACCOUNT_LOGIN_ON_GET = True
SOCIALACCOUNT_PROVIDERS = {
    "openid_connect": {
        "APPS": [
            {
                "provider_id": "test",
                "name": "Test",
                "client_id": "web",
                "secret": "a-secret-of-the-tests",
                "settings": {
                    "server_url": f"{PROVIDER}/.well-known/openid-configuration",
                    "scope": ["openid", "chat"],
                    "fetch_userinfo": False,
                },
            }
        ]
    }
}
