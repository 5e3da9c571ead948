"""A browser session in the admin, without a browser."""

import http.cookiejar
import re
import urllib.parse
import urllib.request

__all__ = ["Administrator"]


class Administrator:
    """A session that posts forms with the CSRF token of their page."""

    def __init__(self, url):
        self._url = url
        jar = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        self._opener = urllib.request.build_opener(jar)

    def get(self, path):
        with self._opener.open(self._url + path, timeout=120) as response:
            return response.read().decode()

    def post(self, path, **fields):
        form = re.search(r'csrfmiddlewaretoken" value="(\w+)"', self.get(path))
        fields["csrfmiddlewaretoken"] = form.group(1)
        body = urllib.parse.urlencode(fields).encode()
        with self._opener.open(self._url + path, body, timeout=120) as response:
            return response.read().decode()

    def log_in(self, username, password):
        """Return the page that follows the login, whether it succeeds or not."""
        return self.post("/admin/login/?next=/admin/", username=username, password=password)
