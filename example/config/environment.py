"""Read the environment variables of the example, which the README lists."""

import os

from django.core.exceptions import ImproperlyConfigured

__all__ = ["flag", "items", "number", "required", "text"]


def text(name, default=""):
    return os.environ.get(name, "").strip() or default


def required(name, example):
    """Return the variable's text, or raise an error that says what to set."""
    if value := text(name):
        return value
    raise ImproperlyConfigured(f"Set {name} (for example: {example}), or EXAMPLE_DEBUG=1.")


def items(value):
    """Return the parts of a comma-separated list."""
    return [part.strip() for part in value.split(",") if part.strip()]


def flag(name):
    value = text(name, "0").lower()
    if value not in {"0", "1", "false", "true"}:
        raise ImproperlyConfigured(f"{name} is either 1 or 0, not {value!r}.")
    return value in {"1", "true"}


def number(name):
    value = text(name, "0")
    if not value.isdecimal():
        raise ImproperlyConfigured(f"{name} is a whole number, not {value!r}.")
    return int(value)
