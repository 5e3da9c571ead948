"""`manage.py demo_users`"""

from django.conf import settings
from django.core.management import BaseCommand, CommandError

from accounts.demo_users import DEMO_USERS, create_demo_users


class Command(BaseCommand):
    help = "Create the demo users that are missing (only while DEBUG is on)."

    def handle(self, *args, **options):
        if not settings.DEBUG:
            raise CommandError("Demo users have known passwords: only with EXAMPLE_DEBUG=1.")
        create_demo_users()
        for username, password in DEMO_USERS.items():
            self.stdout.write(f"{username} / {password}")
