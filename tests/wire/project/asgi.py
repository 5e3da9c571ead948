"""The application that servers run."""

import django

django.setup()

from tests.wire.project.routes import application  # noqa: E402  # its models need the line above

__all__ = ["application"]
