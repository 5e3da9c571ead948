#!/usr/bin/env python
"""Django's command line for the example; a development system unless a secret key is set."""

import os
import sys

from django.core.management import execute_from_command_line

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    if "EXAMPLE_SECRET_KEY" not in os.environ:
        # Only here: an ASGI server started without an environment must not serve in DEBUG.
        os.environ.setdefault("EXAMPLE_DEBUG", "1")
    execute_from_command_line(sys.argv)
