"""Reports errors as the well-known services do: with the locals of every frame."""

import logging
from typing import Any

__all__ = ["Reporter"]

logger = logging.getLogger("reporter")


class Reporter:
    """Stands around an application, as far out as such a service does."""

    def __init__(self, application: Any) -> None:
        self.application = application

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        try:
            await self.application(scope, receive, send)
        except Exception as error:
            trace = error.__traceback__
            while trace:
                frame = trace.tb_frame
                logger.critical("%s: %r", frame.f_code.co_qualname, frame.f_locals)
                trace = trace.tb_next
            raise
