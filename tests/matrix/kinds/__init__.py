"""Every backend of the library, as the matrix asks it: one class each."""

from tests.matrix.kinds.jwts import JWT, AllauthJWT, RESTFramework, SimpleJWT
from tests.matrix.kinds.remote import Introspection
from tests.matrix.kinds.rows import DRF, Knox, OAuth2
from tests.matrix.kinds.sessions import AllauthSession, DjangoSession

__all__ = ["KINDS"]

KINDS = (
    DRF(),
    Knox(),
    SimpleJWT(),
    JWT(),
    AllauthSession(),
    AllauthJWT(),
    OAuth2(),
    Introspection(),
    DjangoSession(),
    RESTFramework(),
)
