"""An authorization server for tests: its introspection endpoint, on loopback."""

import contextlib
import json
import socket
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

INACTIVE = {"active": False}


class IntrospectionServer(ThreadingHTTPServer):
    """Answers with `claims` by token, to `slow` ones when all is over, and to those that wait for
    a `meeting` (a Barrier) together. `status`, `headers` and `body` are what a bad day changes.
    """

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.claims = {}
        self.slow = set()
        self.is_over = threading.Event()
        self.status, self.headers, self.body = 200, {}, None
        self.requests = []
        self.connections = 0
        self.peers = []
        self.meeting = None
        self.at_once = self.most_at_once = 0
        self.lock = threading.Lock()

    def count(self, change):
        with self.lock:
            self.at_once += change
            self.most_at_once = max(self.most_at_once, self.at_once)

    def process_request(self, request, client_address):
        self.connections += 1
        self.peers.append(request)
        super().process_request(request, client_address)

    def hang_up(self):
        """Close every connection, as a server does with those that are idle."""
        for peer in self.peers:
            with contextlib.suppress(OSError):
                peer.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request, client_address):
        """Clients that hang up are what some tests are about."""

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}/introspect/"


@contextmanager
def introspection_server():
    with IntrospectionServer() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.is_over.set()
        server.shutdown()
        thread.join(60)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # it would hold each body back for 40 ms

    def do_POST(self):
        form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        self.server.requests.append((dict(self.headers), form))
        (token,) = form["token"]
        self.server.count(+1)
        if token in self.server.slow:
            self.server.is_over.wait(30)
        if self.server.meeting:
            self.server.meeting.wait(60)
            self.server.is_over.wait(0.05)  # so that more could come, if more were let
        self.server.count(-1)
        self.answer(token)

    def answer(self, token):
        body = self.server.body
        if body is None:
            body = json.dumps(self.server.claims.get(token, INACTIVE)).encode()
        self.send_response(self.server.status)
        for name, value in self.server.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format, *arguments):  # noqa: A002 - as the class has it
        pass
