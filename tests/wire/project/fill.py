"""Run as a module: give an empty database its tables and people."""

import django

django.setup()

from django.contrib.auth.models import User  # noqa: E402  # needs the line above, as do the others
from django.core.management import call_command  # noqa: E402
from rest_framework.authtoken.models import Token  # noqa: E402

from tests.wire.project.people import TOKENS  # noqa: E402

call_command("migrate", verbosity=0)
for name, key in TOKENS.items():
    user = User.objects.create(username=name, is_active=name != "inactive")
    Token.objects.create(user=user, key=key)
