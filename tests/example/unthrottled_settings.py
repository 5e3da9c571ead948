"""The quick settings, without limits on logins: one module's tests share a server and its users."""

from tests.example.quick_settings import *  # noqa: F403 - they are the example's
from tests.example.quick_settings import REST_FRAMEWORK as _REST_FRAMEWORK

REST_FRAMEWORK = _REST_FRAMEWORK | {
    "DEFAULT_THROTTLE_RATES": dict.fromkeys(_REST_FRAMEWORK["DEFAULT_THROTTLE_RATES"])
}
