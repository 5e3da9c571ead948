"""Serve the pages: the list, its data for the script, and three confirmations."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.admin import AdminSite
from django.contrib.admin.utils import unquote
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from ..backends.sources.users import local_user_key
from ..cluster.connections import connections
from ..core.errors import TokenAuthError
from ..core.identity import FOREIGN, UserKey
from ..revocation.disconnecting import disconnect_known
from ..revocation.kinds import without_rows
from ..revocation.labels import revoke_known_labels
from ..revocation.tokens import revoke_known_token
from ..revocation.users import revoke_user
from ..usernames import display_name, names_of, user_of, usernames
from ..verification.authenticator import site_authenticator
from .history import note, note_label
from .listing import HEADINGS, listing, read_label
from .permissions import may_close, may_view, only_if

__all__ = ["Pages"]


class Pages:
    """The pages of one admin site."""

    def __init__(self, site: AdminSite) -> None:
        self._site = site

    def url(self, name: str, **named: str) -> str:
        """Return the URL of a page."""
        # In the namespace of this site: a project may add the page to several admin sites.
        return reverse(f"{self._site.name}:channels_token_auth_{name}", kwargs=named)

    @only_if(may_view)
    def listing(self, request: HttpRequest) -> HttpResponse:
        """Show all sockets, or those of a search. A script of the page updates the list."""
        query = request.GET.get("q", "").strip()
        context = listing(query, self.url) | {
            "headings": HEADINGS,
            "query": query,
            "data_url": f"{self.url('connections_data')}?{request.GET.urlencode()}",
            "may_close": may_close(request),
            "title": _("Live connections"),
        }
        return self._page(request, "connections.html", context)

    @only_if(may_view)
    def data(self, request: HttpRequest) -> HttpResponse:
        """Return the list as JSON, for the script of the page."""
        return JsonResponse(listing(request.GET.get("q", "").strip(), self.url))

    @only_if(may_close)
    def close(self, request: HttpRequest, connection_id: str) -> HttpResponse:
        """Close one socket, and revoke its token if asked to."""
        found = connections(connection_id=connection_id).connections
        if not found:
            messages.warning(request, _("That connection is closed, or its node does not answer."))
            return HttpResponseRedirect(self.url("connections"))
        (one,) = found
        name = display_name(one, names_of([one])) or _("nobody")
        what = _("the connection of %s from %s") % (name, one.address)

        def act(*, revokes: bool) -> None:
            # First, because a token store that fails must not keep the socket open. The history is
            # second: it records the close even if the revocation fails.
            disconnect_known(connection_id=connection_id)
            note(request, user_of(one), what, revokes=revokes)
            if revokes and one.token_id:
                revoke_known_token(
                    one.token_id, user=user_of(one), backend=one.backend, issuer=one.issuer
                )

        return self._confirm(request, act, what, has_token=one.token_id is not None)

    @only_if(may_close)
    def close_user(self, request: HttpRequest, user_id: str) -> HttpResponse:
        """Close all sockets of a user, and revoke their tokens if asked to.

        404 for an id that no local user and no open socket has.
        """
        user_id = unquote(user_id)  # a key may contain a slash, as in the URLs of Django's admin
        # A user of another service has no row here, and is known by open sockets only.
        name = usernames([user_id]).get(user_id)
        user = UserKey(kind=FOREIGN, key=user_id) if name is None else local_user_key(user_id)
        if name is None and not connections(user=user, limit=0).total:
            raise Http404
        name = name or user_id
        what = _("all connections of %s") % name

        def act(*, revokes: bool) -> None:
            disconnect_known(user=user)
            note(request, user, what, revokes=revokes)
            if revokes:
                revoke_user(user)

        return self._confirm(request, act, what, has_token=True)

    @only_if(may_close)
    def close_label(self, request: HttpRequest) -> HttpResponse:
        """Close all sockets of tokens with a label, and revoke those tokens if asked to.

        404 for a text that is not a label. Only tokens without a row can be revoked by a label.
        """
        text = request.GET.get("label", "").strip()
        label = read_label(text)
        if label is None:
            raise Http404
        what = _("all connections with the label %s") % text

        def act(*, revokes: bool) -> None:
            disconnect_known(label=label)
            note_label(request, text, what, revokes=revokes)
            if revokes:
                revoke_known_labels(label=label)

        has_token = bool(without_rows(site_authenticator().backends))
        return self._confirm(request, act, what, has_token=has_token)

    def _confirm(
        self, request: HttpRequest, act: Callable[..., None], what: str, *, has_token: bool
    ) -> HttpResponse:
        """Ask for confirmation; after a POST, act and show the result."""
        # A GET must not change anything (RFC 9110 §9.2.1): browsers and link checkers follow links
        # by themselves.
        if request.method != "POST":
            context = {"what": what, "has_token": has_token, "title": _("Are you sure?")}
            return self._page(request, "close.html", context)
        try:
            act(revokes=has_token and "revoke" in request.POST)
        except TokenAuthError as error:
            remedy = error.detail.remedy if error.detail else _("Try again.")
            sentence = _("Closed %s, but not all tokens were revoked. %s")
            messages.error(request, sentence % (what, remedy))
        else:
            messages.success(request, _("Closed %s.") % what)
        return HttpResponseRedirect(self.url("connections"))

    def _page(self, request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
        # Templates reverse "admin:…" with it, so that links stay on this admin site.
        request.current_app = self._site.name
        everywhere = self._site.each_context(request)
        return TemplateResponse(
            request,
            f"admin/channels_token_auth/{template}",
            everywhere | context | {"list_url": self.url("connections")},
        )
