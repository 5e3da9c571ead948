"""The ASGI application: Django over HTTP, token-authenticated consumers over WebSocket."""

import gc
import os
import sys

from channels.routing import ProtocolTypeRouter, URLRouter
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django_application = get_asgi_application()

# These imports need Django to be set up, which the line above does.
from config.origins import authenticated  # noqa: E402
from config.requests import RequestLog  # noqa: E402
from hello.routing import websocket_urlpatterns  # noqa: E402

application = RequestLog(
    ProtocolTypeRouter(
        {
            "http": django_application,
            "websocket": authenticated(URLRouter(websocket_urlpatterns)),
        }
    )
)

# For many sockets; a small site needs none of this. Python's garbage collector stops the process
# while it examines objects. Exclude those that exist now (code and settings, which stay anyway),
# and examine the others in small portions. docs/how-to/deployment/index.md explains the numbers.
gc.collect()
gc.freeze()
if sys.version_info < (3, 14):
    gc.set_threshold(2_000, 0, 125)
