"""Read the body of a login: a form or a JSON object, up to a size."""

import io
import json

from django.core.exceptions import SuspiciousOperation
from django.http import QueryDict
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser, MultiPartParser

__all__ = ["MAX_BODY_BYTES", "CredentialsParser"]

MAX_BODY_BYTES = 64 * 1024  # the longest username and password, each byte escaped, fit in


class CredentialsParser(BaseParser):
    """Parse each body that a login may have; raise `ParseError` for every other one.

    DRF's own parsers leave some bodies to Django, which answers them with an HTML page: a form of
    over 1,000 fields, a body of over 2.5 MB. They fail on JSON that is nested by the thousand.
    """

    media_type = "*/*"  # so that a wrong Content-Type is a ParseError too, not a 415

    def parse(self, stream, media_type=None, parser_context=None):
        body = stream.read(MAX_BODY_BYTES + 1)
        read = _READERS.get(media_type.partition(";")[0].strip().lower())
        if read is None or len(body) > MAX_BODY_BYTES:
            raise ParseError
        try:
            return read(body, media_type, parser_context)
        except (SuspiciousOperation, RecursionError, ValueError) as error:
            raise ParseError from error


def _read_json(body, media_type, context):
    # Whatever charset the header claims: JSON is Unicode (RFC 8259 §8.1).
    data = json.loads(body)
    if not isinstance(data, dict):
        raise ParseError
    return data


def _read_form(body, media_type, context):
    return QueryDict(body, encoding="utf-8")


def _read_multipart(body, media_type, context):
    """Read what `fetch` makes of a FormData object."""
    return MultiPartParser().parse(io.BytesIO(body), media_type, context).data


_READERS = {
    "application/json": _read_json,
    "application/x-www-form-urlencoded": _read_form,
    "multipart/form-data": _read_multipart,
}
