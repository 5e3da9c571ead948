"""Run as a module: give an empty database its tables, and many people with a token each."""

import django

django.setup()

from django.contrib.auth.models import User  # noqa: E402  # needs the line above, as do the others
from django.core.management import call_command  # noqa: E402
from rest_framework.authtoken.models import Token  # noqa: E402

from tests.cluster.people import PEOPLE, key  # noqa: E402

call_command("migrate", verbosity=0)
users = User.objects.bulk_create(User(pk=n, username=f"u{n}") for n in range(1, PEOPLE + 1))
Token.objects.bulk_create(Token(user=user, key=key(user.pk)) for user in users)
