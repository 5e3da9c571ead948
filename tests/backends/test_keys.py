"""Claims as keys: only the canonical text of a key names it."""

import uuid

import pytest
from django.contrib.auth import get_user_model
from django.core.validators import MinValueValidator
from django.db.models import IntegerField
from hypothesis import given
from hypothesis import strategies as st
from rest_framework.authtoken.models import Token

from channels_token_auth.backends.sources.keys import read_key
from tests.backends.own_users.models import Member

KEY = uuid.UUID("01234567-89ab-4def-8123-456789abcdef")


def number(claim):
    return read_key(get_user_model()._meta.pk, claim)


@pytest.mark.parametrize(("claim", "key"), [("1", 1), (1, 1), ("0", 0), ("70", 70)])
def test_canonical_text_and_the_number_name_the_key(claim, key):
    assert number(claim) == key


def test_row_that_is_older_than_a_validator_of_the_site_has_its_key():
    field = IntegerField(validators=[MinValueValidator(1000)])
    assert read_key(field, 5) == 5
    assert read_key(field, 10**20) is None


@pytest.mark.parametrize(
    "claim",
    [
        *(
            "１",
            "1１",
            " 1",
            "1 ",
            "\t1",
            "1\n",
            "0_1",
            "1_0",
            "+1",
            "-0",
            "01",
            "00",
            "1.0",
            "1e0",
        ),
        *("", "alice", "\0", "1\0", "\ud800", "9" * 5000, str(2**70), 2**70, -(2**70)),
        *(True, False, None, 1.0, [1], {"1": 1}, b"1"),
    ],
)
@pytest.mark.asvs("15.3.5")
def test_any_other_claim_names_nobody(claim):
    assert number(claim) is None


@pytest.mark.parametrize(
    "claim",
    [KEY.hex, str(KEY).upper(), f"{{{KEY}}}", KEY.urn, f" {KEY}", str(KEY).replace("-", "", 1), 7],
)
def test_uuid_has_one_text(claim):
    field = Member._meta.pk
    assert (read_key(field, str(KEY)), read_key(field, claim)) == (KEY, None)


@given(st.text() | st.integers())
@pytest.mark.asvs("10.3.3")
def test_two_claims_never_name_one_key_unless_their_texts_are_equal(claim):
    key = number(claim)
    assert key is None or str(key) == str(claim)


@pytest.mark.parametrize(("claim", "key"), [("7", 7), (str(2**70), None), (" 7", None)])
def test_key_that_refers_to_another_has_its_type_and_range(claim, key):
    # As that of a user model which inherits from another one with a table.
    assert read_key(Token._meta.get_field("user"), claim) == key
