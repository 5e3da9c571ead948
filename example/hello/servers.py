"""Three ASGI servers, each run in this process until Ctrl-C; each imported only if it is chosen.

Every one calls `ready` when it is about to listen. The application logs the requests, so the
servers' own access logs stay off.
"""

# ruff: noqa: PLC0415 -- see the first line

from socket import gethostbyname

from django.conf import settings

__all__ = ["SERVERS"]

APPLICATION = "config.asgi:application"
# A server reads a message, and inflates it, before anybody is authenticated.
MAX_MESSAGE_BYTES = settings.DAPHNE_WEBSOCKET_MAX_MESSAGE_SIZE


def serve_daphne(host, port, ready):
    from daphne.endpoints import build_endpoint_description_strings
    from daphne.server import Server

    from config.asgi import application

    endpoints = build_endpoint_description_strings(host=host, port=port)
    Server(
        application,
        endpoints=endpoints,
        ready_callable=ready,
        websocket_max_message_size=MAX_MESSAGE_BYTES,
        websocket_max_frame_size=MAX_MESSAGE_BYTES,
    ).run()


def serve_uvicorn(host, port, ready):
    import uvicorn

    from config.asgi import application

    ready()
    uvicorn.run(
        application,
        host=host,
        port=port,
        lifespan="off",
        # At INFO it prints the query string of a WebSocket, with a token in it.
        log_level="warning",
        # By default it trusts any X-Forwarded-For that comes from this machine.
        proxy_headers=False,
        ws_max_size=MAX_MESSAGE_BYTES,
        ws_per_message_deflate=False,
    )


def serve_granian(host, port, ready):
    from granian import Granian
    from granian.constants import Interfaces
    from granian.log import LogLevels

    # It inflates nothing, and has no limit of its own for the size of a message.
    server = Granian(
        APPLICATION,
        address=host if ":" in host else gethostbyname(host),  # it takes no names
        port=port,
        interface=Interfaces.ASGINL,  # without lifespan
        log_level=LogLevels.warning,
    )
    server.on_startup(ready)
    try:
        server.serve()
    except SystemExit:
        # Ctrl-C reaches its worker too, and one that ends first counts as one that has crashed.
        if not server.interrupt_signal:
            raise


SERVERS = {"daphne": serve_daphne, "uvicorn": serve_uvicorn, "granian": serve_granian}
