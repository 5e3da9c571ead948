"""Only a test environment of Django's makes verifications run inline."""

from tests import launcher

SENDS_MAIL = """
import django
from django.conf import settings

settings.configure(SECRET_KEY="k" * 50)
django.setup()
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend

# Not by a setting: its name depends on Django's version.
EmailBackend().send_messages([mail.EmailMessage("subject", "text", to=["b@example.com"])])
assert mail.outbox
from channels_token_auth.verification import test_mode

print(test_mode.is_on())
from django.test.utils import setup_test_environment, teardown_test_environment

setup_test_environment()
print(test_mode.is_on())
teardown_test_environment()
print(test_mode.is_on())
"""


def test_mail_that_is_kept_in_memory_does_not_make_a_site_a_test():
    done = launcher.run_code(SENDS_MAIL)
    assert done.stdout.split() == ["False", "True", "False"]
