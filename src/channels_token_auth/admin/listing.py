"""Read a search, ask the nodes for its sockets, and format the list."""

import asyncio
import ipaddress
from collections.abc import Callable
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.contrib.admin.utils import quote
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from ..backends.sources.moments import local
from ..cluster.connections import Connections, LiveConnection, aconnections
from ..cluster.overview import Overview, aoverview
from ..revocation.known_names import require_known_labels
from ..tasks import synchronous
from ..usernames import display_name, find_user, names_of
from .panels import panels

__all__ = ["HEADINGS", "listing", "read_label"]

HEADINGS = ("User", "Address", "Opened", "Expires", "Token from", "Path", "Origin", "Node")
Link = Callable[..., str]


def listing(query: str, link: Link) -> dict[str, Any]:
    """Return the content of the page for a search. `link` returns the URL of a named page."""
    # Even after a mistake, the nodes are asked: panels and warnings are shown in any case.
    named, mistake = _named(query)
    found, overview = synchronous(_ask)(named)
    if not found.total:
        mistake = mistake or _misspelt(named.get("label"))
    user = named.get("user")
    return {
        "rows": _rows(found, link),
        "summary": mistake or _summary(found),
        "panels": panels(overview),
        "warnings": list(_warnings(found)),
        "close_user_url": user and link("connections_close_user", user_id=quote(str(user.pk))),
        "close_label_url": "label" in named and _close_label_url(query, link),
    }


def read_label(text: str) -> tuple[str, str] | None:
    """Return the label in a text such as "sid=abc"; None for any other text."""
    # At the first sign only, since a value may contain others: Base64 ends with them.
    name, _equals, value = text.partition("=")
    return (name, value) if name and value else None


def _close_label_url(query: str, link: Link) -> str:
    # In the query and not in the path, since a label may contain a slash.
    return f"{link('connections_close_label')}?{urlencode({'label': query})}"


async def _ask(named: dict[str, Any]) -> tuple[Connections, Overview]:
    """Ask all nodes for the list and for the counts, both at once."""
    return await asyncio.gather(aconnections(**named), aoverview())


def _named(query: str) -> tuple[dict[str, Any], str]:
    """Return the arguments of the search; or some that match nothing, and the reason."""
    try:
        return _read(query), ""
    except LookupError as error:
        return {"limit": 0}, str(error)


def _read(query: str) -> dict[str, Any]:
    """Return the arguments of the search. Raises LookupError with a sentence for the page."""
    if not query:
        return {}
    # An address first, because it needs no query to the database.
    try:
        return {"address": str(ipaddress.ip_address(query))}
    except ValueError:
        pass
    try:
        user = find_user(query)
    except ValueError as error:
        raise LookupError(str(error)) from None
    if user is not None:
        return {"user": user}
    label = read_label(query)
    if label:
        return {"label": label}
    raise LookupError(
        _(
            "No user has this name or id, and it is neither an IP address nor a label such as"
            " sid=abc."
        )
    )


def _misspelt(label: tuple[str, str] | None) -> str:
    """Return a sentence if no token can have a label of this name; else an empty text."""
    try:
        require_known_labels([] if label is None else [label], backends=None)
    except ValueError as error:
        return str(error)
    return ""


def _rows(found: Connections, link: Link) -> list[dict[str, Any]]:
    # The names of all users in one query, not one for each row.
    names = names_of(found.connections)
    return [
        {
            "cells": _cells(each, names),
            "close_url": link("connection_close", connection_id=each.connection_id),
        }
        for each in found.connections
    ]


def _cells(each: LiveConnection, names: dict[str, str]) -> list[str]:
    return [
        display_name(each, names) or _("anonymous"),
        # A server on a Unix socket reports no address.
        each.address or "-",
        _local(each.opened_at),
        _local(each.expires_at) if each.expires_at else _("never"),
        each.location or "-",
        each.path,
        each.origin or "-",
        each.node,
    ]


def _summary(found: Connections) -> str:
    total = ngettext("%d connection", "%d connections", found.total) % found.total
    shown = len(found.connections)
    return total if shown == found.total else _("%s, the newest %d shown") % (total, shown)


def _warnings(found: Connections) -> Any:
    sentences = {
        _("These nodes did not answer: %s."): found.missing,
        _("These nodes are draining: %s."): found.draining,
        _("A token store was unavailable at the last sweep of: %s."): found.unswept,
    }
    for sentence, nodes in sentences.items():
        if nodes:
            yield sentence % ", ".join(nodes)
    if not (found.nodes or found.missing):
        yield _("No node answered: none has had a socket yet, or the channel layer is unavailable.")


def _local(moment: datetime) -> str:
    return date_format(local(moment), "DATETIME_FORMAT")
