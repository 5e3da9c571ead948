"""Describe settings from the table that reads them."""

from channels_token_auth import conf

from .markdown import code

__all__ = ["default_of", "names"]


def names() -> list[str]:
    """Return the settings in the order of the table."""
    return list(conf._TABLE)


def default_of(name: str) -> str:
    """Return the line that a setting's section begins with: its default, and what it must be."""
    default, sentence, *_ = conf._TABLE[name]
    shown = "required" if name == "BACKENDS" else code(_as_written(default))
    return f"Default: {shown}. It must be {sentence}."


def _as_written(value: object) -> str:
    """Return a value as a settings file has it."""
    if isinstance(value, tuple):
        value = list(value)
    return repr(value).replace("'", '"')
