"""Give every HTTP response a strict Content-Security-Policy, and serve static files."""

from django.http import HttpResponse
from whitenoise.middleware import WhiteNoiseMiddleware

__all__ = ["ContentSecurityPolicyMiddleware", "StaticFilesMiddleware"]

# The admin's icons are data: images. connect-src 'self' allows ws: and wss: to this host too.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


class ContentSecurityPolicyMiddleware:
    """Forbid inline code, foreign code and frames in every response."""

    def __init__(self, get_response):
        self._get_response = get_response

    def __call__(self, request):
        response = self._get_response(request)
        response.headers.setdefault("Content-Security-Policy", CONTENT_SECURITY_POLICY)
        return response


class StaticFilesMiddleware(WhiteNoiseMiddleware):
    """Serve files as whole bodies: under ASGI, Django warns about WhiteNoise's iterators."""

    @staticmethod
    def serve(static_file, request):
        found = static_file.get_response(request.method, request.META)
        if found.file is None:
            return HttpResponse(status=int(found.status), headers=dict(found.headers))
        with found.file:
            body = found.file.read()
        return HttpResponse(body, status=int(found.status), headers=dict(found.headers))
