"""List the words that must not be used, each with the field's word for the same thing.

Machines send, receive, publish, log, store and fail: they do not speak and hear. People of the
field look for a concept by its usual name, so a second name for it hides the code.
"""

import re

__all__ = ["IN_CODE", "IN_DOCUMENTS", "parts_of"]

_SPEECH = "use send, emit, log, publish or report"
_HEARING = "use receive, handle or seen"
_PEOPLE = "write they"

IN_DOCUMENTS = {
    "hear": _HEARING,
    "hears": _HEARING,
    "heard": _HEARING,
    "told": _SPEECH,
    "door": "use route",
    "ear": "use subscription",
    "flight": "use call, of a single flight",
    "flights": "use calls, of a single flight",
    "judged": "use verified or decided",
    "recheck": "use revalidate",
    "rechecks": "use revalidates",
    "he": _PEOPLE,
    "him": _PEOPLE,
    "his": _PEOPLE,
}
"""Forbidden in documents, vectors and the TypeScript client. A page may say something."""

IN_CODE = {
    **IN_DOCUMENTS,
    "tell": _SPEECH,
    "tells": _SPEECH,
    "say": _SPEECH,
    "says": _SPEECH,
    "said": _SPEECH,
    "judge": "use chain, apply or decide",
    "judges": "use chain, applies or decides",
    "beside": "use with or extra",
    "greet": "use announce",
    "whoever": "name the caller, the client or the user",
    "paper": "use document",
}
"""Forbidden in names, comments, docstrings and texts of the library."""
# A class may be called SingleFlight, as the pattern is.
_ALLOWED = re.compile(r"single_?flights?", re.IGNORECASE)


def parts_of(name: str) -> list[str]:
    """Return the words of an identifier, in lower case."""
    name = _ALLOWED.sub("", name)
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower().split("_")
