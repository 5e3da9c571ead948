"""The example's settings, except that a password is hashed at once.

Every start of the demo hashes four passwords and every login one, which takes longer than all else
that a test does. Tests whose outcome depends on it run on `config.settings`.
"""

from config.settings import *  # noqa: F403 - they are the example's

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
