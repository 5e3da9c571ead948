"""Run as a module: create the tables and the people in an empty database."""

import django

django.setup()

from django.contrib.auth.models import User  # noqa: E402 - needs the line above, as do the others
from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402
from rest_framework.authtoken.models import Token  # noqa: E402

from benchmarks.people import PEOPLE, key  # noqa: E402

call_command("migrate", verbosity=0)
users = [User(pk=number + 1, username=f"person {number}") for number in range(PEOPLE)]
User.objects.bulk_create(users)
Token.objects.bulk_create(Token(user=user, key=key(user.pk - 1)) for user in users)
if connection.vendor == "postgresql":  # which autovacuum would do later
    connection.cursor().execute("VACUUM ANALYZE")
