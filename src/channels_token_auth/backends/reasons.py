"""Explain to developers why a genuine token of this site's own OAuth server is refused."""

from ..core.errors import Detail

__all__ = ["CLIENT_OFF", "NOBODYS", "OTHER_RESOURCE"]

OTHER_RESOURCE = Detail(
    slug="wrong_resource",
    remedy="The token was issued for other resources (RFC 8707): have the client ask for this site,"
    " or correct the backend's 'audience'.",
)
CLIENT_OFF = Detail(
    slug="client_off",
    remedy="The token's application must not be used: see its method is_usable().",
)
NOBODYS = Detail(
    slug="machine_token",
    remedy="The token belongs to a client and not to a user (client credentials): have the client"
    " use a token of a user.",
)
