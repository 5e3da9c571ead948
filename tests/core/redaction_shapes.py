"""Every shape in which a secret is known to be printed; `{}` stands for the secret.

The fuzzer draws from them too.
"""

__all__ = ["SHAPES"]

SHAPES = (
    # Queries and what holds them
    '127.0.0.1:4000 - "WebSocket /ws/?token={}&x=1" [accepted]',
    '127.0.0.1:4000 - "WebSocket /ws/?x=1&ticket={}" 403',
    "< GET /?token={} HTTP/1.1",
    "/?tok%65n={}&x=1",
    "/?%74%6F%6b%65%6E={}&x=1",
    "/login?next=%2Fws%2F%3Ftoken%3D{}",
    "scope={{'type': 'websocket', 'query_string': b'token={}', 'headers': '<...>'}}",
    "{{'query_string': b'x=1&ticket={}&y=2', 'path': '/ws/'}}",
    '{{"referer":"https://example.com/?token={}","status":200}}',
    "b'POST /login HTTP/1.1\\r\\n\\r\\ntoken={}'",
    "> Cookie: theme=dark; token={}; lang=en",
    "ValueError: no such socket (token={})",
    "Handshake(token='{}', origin=None)",
    'Handshake(token=b"{}", origin=None)',
    # Authorization
    "< authorization: Bearer {}",
    "> Authorization: Token {}",
    "Authorization: {}",
    "proxy-authorization: JWT {}",
    "Host: example.com\nAuthorization: Bearer {}\nOrigin: null",
    "b'GET / HTTP/1.1\\r\\nAuthorization: Bearer {}\\r\\nHost: example.com\\r\\n\\r\\n'",
    "curl -H 'Authorization: Token {}' https://example.com/",
    "[(b'host', b'example.com'), (b'authorization', b'Bearer {}'), (b'origin', b'null')]",
    "Headers({{'authorization': 'Token {}', 'host': 'example.com'}})",
    '{{"HTTP_AUTHORIZATION": "Bearer {}", "HTTP_HOST": "example.com"}}',
    # Subprotocols
    "< Sec-WebSocket-Protocol: token-auth.v1, bearer.{}",
    "sec-websocket-protocol: base64url.bearer.{},token-auth.v1",
    "(b'sec-websocket-protocol', b'token-auth.v1, base64url.bearer.phx.{}')",
    "'subprotocols': ['token-auth.v1', 'base64url.bearer.authorization.k8s.io.{}']",
    '["bearer.{}"]',
    # Messages
    '{{"type":"auth","token":"{}"}}',
    '{{ "token" : "{}", "type" : "auth" }}',
    '{{"type":"auth","\\u0074oken":"{}"}}',
    "{{'type': 'websocket.receive', 'text': '{{\"type\":\"auth\",\"tok\\\\u0065n\":\"{}\"}}'}}",
    '"{{\\"type\\":\\"auth\\",\\"token\\":\\"{}\\"}}"',
    'b\'{{"type": "auth", "token": "{}"}}\'',
    '< TEXT \'{{"type":"auth","token":"{}"}}\' [83 bytes]',
    "< CONT {} [text, 48 bytes]",
    '{{"type":"auth","token":"{}',
    '{{"ticket": "{}", "expires_in": 30}}',
    "{{'token': ['{}'], 'x': ['1']}}",
)
