"""One server of the site's choice, over real sockets: what is sent, and what is accepted."""

import json
import socket
import threading
import time

import pytest

from channels_token_auth.backends.sources.remote import Remote, RemoteError
from tests.backends.introspection_server import introspection_server
from tests.backends.jwks_server import jwks_server

MAX_BYTES = 1000


def remote_of(url, **options):
    return Remote(url, **({"timeout": 2, "max_bytes": MAX_BYTES} | options))


@pytest.fixture
def server():
    with jwks_server({"a": 1}) as running:
        yield running


@pytest.mark.parametrize(
    ("url", "is_safe"),
    [
        ("https://id.example.com/jwks", True),
        ("http://127.0.0.1:8000/jwks", True),
        ("http://[::1]/jwks", True),
        ("http://localhost/jwks", True),
        ("http://id.example.com/jwks", False),
        ("http://127.0.0.1.example.com/jwks", False),
        ("http://localhost@example.com/", False),
        ("https://user:password@id.example.com/", False),
        ("https://id.example.com/#fragment", False),
        ("http://10.0.0.1/", False),
        ("file:///etc/passwd", False),
        ("ftp://127.0.0.1/jwks", False),
        ("https://", False),
        ("https://[bad/jwks", False),
        ("https://id.example.com:port/", False),
        ("jwks", False),
    ],
)
@pytest.mark.asvs("1.2.2", "13.2.4")
def test_only_https_and_this_machine_are_safe(url, is_safe):
    assert (remote_of(url).problem == "") is is_safe


@pytest.mark.asvs("13.2.4")
def test_nothing_is_sent_to_an_unsafe_url(server):
    with pytest.raises(RemoteError):
        remote_of(server.url.replace("http:", "ftp:")).send("GET")
    assert server.asked == []


def test_answer_is_the_status_and_the_body(server):
    answer = remote_of(f"{server.url}?x=1").send("GET")
    assert (answer.status, json.loads(answer.body)) == (200, {"a": 1})
    assert server.asked[0][0] == "/jwks?x=1"
    assert b"a" not in repr(answer).encode().partition(b"status")[2]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.asvs("15.3.2")
def test_redirect_is_an_answer_and_not_followed(server, status):
    with jwks_server({}) as other:
        server.status, server.headers = status, {"Location": other.url}
        assert remote_of(server.url).send("GET").status == status
        assert other.asked == []


@pytest.mark.parametrize("is_announced", [True, False])
def test_body_is_bounded(server, is_announced):
    server.document = b"x" * MAX_BYTES
    server.headers = {"Content-Length": str(MAX_BYTES)} if is_announced else {}
    assert len(remote_of(server.url).send("GET").body) == MAX_BYTES
    server.document = b"x" * (MAX_BYTES + 1)
    server.headers = {"Content-Length": str(10**15)} if is_announced else {}
    with pytest.raises(RemoteError):
        remote_of(server.url).send("GET")


class Speaking:
    """A server that answers every connection with `said`: at once, or a byte every `pause` s."""

    said, pause = b"", 0.0

    def __init__(self, listener):
        self.address = f"127.0.0.1:{listener.getsockname()[1]}"
        self.url = f"http://{self.address}/"
        self.is_over = threading.Event()
        self._listener = listener

    def run(self):
        while not self.is_over.is_set():
            try:
                peer, _ = self._listener.accept()
                with peer:
                    peer.settimeout(5)
                    peer.recv(65536)
                    self._say(peer)
            except OSError:
                pass

    def _say(self, peer):
        if not self.pause:
            peer.sendall(self.said)
        for byte in self.said if self.pause else b"":
            peer.sendall(bytes([byte]))
            self.is_over.wait(self.pause)


@pytest.fixture
def speaking():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = Speaking(listener)
        thread = threading.Thread(target=server.run)
        thread.start()
        yield server
        server.is_over.set()
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(60)


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"rubbish\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X-Header: of many\r\n" * 200 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nnone\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\nx",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nx",
        b"HTTP/1.1 100 Continue\r\n\r\n" * 20_000,
    ],
)
def test_answer_that_is_none_is_an_error_that_quotes_nothing(speaking, said):
    speaking.said = said
    with pytest.raises(RemoteError) as caught:
        remote_of(speaking.url).send("GET")
    assert "rubbish" not in str(caught.value)
    assert "of many" not in str(caught.value)


@pytest.mark.asvs("13.2.6")
def test_head_that_comes_byte_by_byte_is_left_at_the_timeout(speaking):
    speaking.said, speaking.pause = b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 100, 0.05
    began = time.monotonic()
    with pytest.raises(RemoteError):
        remote_of(speaking.url, timeout=0.4).send("GET")
    assert time.monotonic() - began < 15  # the whole head takes twice as long


@pytest.mark.parametrize("line_break", ["\n", "\r\n"])
def test_header_that_cannot_be_sent_is_an_error_that_quotes_nothing(server, line_break):
    with pytest.raises(RemoteError) as caught:
        remote_of(server.url).send("GET", headers={"Authorization": f"Bearer ours{line_break}"})
    assert "ours" not in str(caught.value)
    assert server.asked == []


def test_server_that_is_away_is_named_with_the_reason():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
    with pytest.raises(RemoteError, match="ConnectionRefusedError"):
        remote_of(url).send("GET")


def test_connection_is_kept_open_where_that_is_wanted():
    with introspection_server() as server:
        remote = remote_of(server.url, max_idle=1)
        for _ in range(3):
            remote.send("POST", body=b"token=t")
        assert server.connections == 1


def test_connection_that_the_server_has_closed_is_opened_again():
    with introspection_server() as server:
        remote = remote_of(server.url, max_idle=1)
        remote.send("POST", body=b"token=t")
        server.hang_up()
        assert remote.send("POST", body=b"token=t").status == 200
        assert server.connections == 2


def test_proxy_of_the_environment_sees_nothing_that_is_for_this_machine(server, monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:1")
    assert remote_of(server.url).send("GET").status == 200


def test_https_goes_through_the_tunnel_of_a_proxy(speaking, monkeypatch):
    speaking.said = b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n"
    monkeypatch.setenv("https_proxy", f"http://us%40er:pass@{speaking.address}")
    monkeypatch.setenv("no_proxy", "direct.invalid")
    with pytest.raises(RemoteError, match="407"):
        remote_of("https://id.example.com/jwks").send("GET")
    with pytest.raises(RemoteError, match="gaierror"):
        remote_of("https://direct.invalid/jwks").send("GET")


@pytest.mark.asvs("16.3.4")
def test_certificate_that_nobody_vouches_for_is_refused(speaking):
    speaking.said = b"no TLS"
    with pytest.raises(RemoteError, match="SSL"):
        remote_of(speaking.url.replace("http:", "https:")).send("GET")
