"""Fill the panels above the list: sockets by user and by node, closes and reached limits."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.utils.translation import gettext as _

from ..cluster.overview import Overview, UserCount
from ..core.identity import without_tenant
from ..observability.recent import NOT_OURS
from ..tenants.site import here
from ..usernames import is_site_user, usernames

__all__ = ["panels"]

MAX_ROWS = 5
"""Rows of a panel. One more row sums up the rest."""

Rows = Iterable[tuple[str, int]]


def panels(found: Overview) -> list[dict[str, Any]]:
    """Return the title and the rows of each panel, in the form that template and script need."""
    return [
        _panel(_("Connections by user"), _by_user(found), _("No connections.")),
        _panel(_("Connections by node"), found.nodes.items(), _("No node answered.")),
        _panel(_("Closed in the last hour"), _closes(found.closes), _("None.")),
        _panel(_("Limits reached in the last hour"), found.limits.items(), _("None.")),
    ]


def _panel(title: str, rows: Rows, empty: str) -> dict[str, Any]:
    listed = list(rows)
    shown, rest = listed[:MAX_ROWS], listed[MAX_ROWS:]
    if len(rest) == 1:  # "1 others" would take a row, too
        shown, rest = listed, []
    if rest:
        shown.append((_("%d others") % len(rest), sum(count for _name, count in rest)))
    return {"title": title, "rows": shown, "empty": empty}


def _by_user(found: Overview) -> Rows:
    # A user of another service may have the same key as a user of this site.
    names = usernames({each.user_id for each in found.users if is_site_user(each.user_kind)})
    for each in filter(_is_of_tenant, found.users):
        name = names.get(each.user_id or "") if is_site_user(each.user_kind) else None
        yield name or each.user_id or _("anonymous"), each.sockets


def _is_of_tenant(each: UserCount) -> bool:
    """Return True for users of the tenant whose page this is; for all, outside of all tenants."""
    # The nodes count the sockets of all tenants: the keys of other tenants' users are not shown.
    tenant = here()
    return tenant is None or without_tenant(each.user_kind)[1] == tenant


def _closes(counts: Mapping[str, int]) -> Rows:
    for reason, count in counts.items():
        yield _("by client or application") if reason == NOT_OURS else reason, count
