"""The ASGI application: Django over HTTP, token-authenticated consumers over WebSocket."""

import gc
import os

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

# The collector examines all objects now and then, and nobody is answered meanwhile. Leave out the
# code and the settings, which stay, and look less often at sockets, which stay for long.
gc.collect()
gc.freeze()
gc.set_threshold(2_000, 5, 50)
