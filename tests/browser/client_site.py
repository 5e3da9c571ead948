"""A site whose page loads TokenSocket as a static file, under a strict policy."""

from pathlib import Path

from django.contrib.staticfiles import finders
from django.http import HttpResponse
from django.urls import include, path

__all__: list[str] = []

HERE = Path(__file__).parent
POLICY = "default-src 'none'; script-src 'self'; worker-src 'self'; connect-src 'self'"
HTML, SCRIPT = "text/html; charset=utf-8", "text/javascript; charset=utf-8"


def _serve(file, content_type):
    headers = {"Content-Security-Policy": POLICY, "Cache-Control": "no-cache"}
    return HttpResponse(Path(file).read_bytes(), content_type=content_type, headers=headers)


urlpatterns = [
    path("", lambda request: _serve(HERE / "client_page.html", HTML)),
    path("client_page.js", lambda request: _serve(HERE / "client_page.js", SCRIPT)),
    path("static/<path:name>", lambda request, name: _serve(finders.find(name), SCRIPT)),
    path("auth/", include("channels_token_auth.urls")),
]
