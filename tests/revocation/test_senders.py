"""The models whose signals carry a backend's announcement."""

import pytest
from django.contrib.sessions.base_session import AbstractBaseSession
from django.contrib.sessions.models import Session
from django.db.models.signals import post_delete, post_save

from channels_token_auth.backends.contract import RevocationSignal
from channels_token_auth.revocation.kinds import senders


@pytest.mark.parametrize("signal", [post_save, post_delete])
def test_abstract_model_stands_for_those_that_extend_it(signal):
    """Django sends no signal for it."""
    announced = RevocationSignal(signal=signal, sender=AbstractBaseSession, tokens=lambda **_: ())
    assert Session in senders(announced)
    assert AbstractBaseSession not in senders(announced)
