"""A key server for tests, on loopback: what it publishes, and its bad days."""

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

__all__ = ["jwks_server"]


class JWKSServer(ThreadingHTTPServer):
    """Answers with `document` (JSON, or bytes as they are). `status` and `headers` are what a bad
    day changes; while `is_open` is not set, it sends a byte now and then and comes to no end.
    """

    daemon_threads = True

    def __init__(self, document):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.document = document
        self.status, self.headers = 200, {}
        self.is_open = threading.Event()
        self.is_open.set()
        self.before_answering = lambda: None
        self.asked = []

    def handle_error(self, request, client_address):
        """Clients that hang up are what some tests are about."""

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}/jwks"


@contextmanager
def jwks_server(document):
    with JWKSServer(document) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.is_open.set()
            server.shutdown()
            thread.join(60)


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.server.asked.append((self.path, dict(self.headers)))
        self.server.before_answering()
        document = self.server.document
        body = document if isinstance(document, bytes) else json.dumps(document).encode()
        self.send_response(self.server.status)
        for name, value in self.server.headers.items():
            self.send_header(name, value)
        self.end_headers()
        while not self.server.is_open.wait(0.05):
            self.wfile.write(b" ")
        self.wfile.write(body)

    def log_message(self, format, *arguments):  # noqa: A002 - as the class has it
        pass
