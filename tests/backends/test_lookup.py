"""Rows by the values of one column, with SQL that is compiled once."""

import pytest
from django.contrib.auth import get_user_model
from django.db.models.sql.compiler import SQLCompiler
from rest_framework.authtoken.models import Token

from channels_token_auth.backends.sources.lookup import LARGEST, Lookup
from tests.backends.own_users.models import Member

pytestmark = [pytest.mark.database, pytest.mark.django_db]


def tokens_with_users():
    return Token.objects.select_related("user")


@pytest.fixture
def lookup():
    return Lookup(tokens_with_users, "key")


@pytest.fixture
def tokens():
    names = (f"user {number}" for number in range(LARGEST + 3))
    users = get_user_model().objects.bulk_create([get_user_model()(username=n) for n in names])
    return Token.objects.bulk_create([Token(user=user, key=f"key{user.pk}") for user in users])


@pytest.mark.parametrize("number", [1, 2, 3, 5, LARGEST, LARGEST + 1])
def test_all_rows_are_found_in_one_query_users_included(
    lookup, tokens, number, django_assert_num_queries
):
    wanted = tokens[:number]
    for _ in range(2):
        with django_assert_num_queries(1):
            found = {row.key: row.user.username for row in lookup.find([t.key for t in wanted])}
        assert found == {token.key: token.user.username for token in wanted}


def test_rows_are_as_the_orm_has_them(lookup, tokens):
    (row,) = lookup.find([tokens[0].key])
    orm = tokens_with_users().get(key=tokens[0].key)
    assert type(row.created) is type(orm.created)
    assert vars(row.user) | {"_state": 0} == vars(orm.user) | {"_state": 0}
    assert (row._state.db, row._state.adding) == (orm._state.db, orm._state.adding)


def test_rows_found_before_stay_as_they_were(lookup, tokens):
    (first,) = lookup.find([tokens[0].key])
    (second,) = lookup.find([tokens[1].key])
    assert (first.key, second.key) == (tokens[0].key, tokens[1].key)


def test_nothing_is_asked_for_nothing(lookup, django_assert_num_queries):
    with django_assert_num_queries(0):
        assert lookup.find([]) == []


def test_a_value_that_no_row_has_finds_nothing(lookup, tokens):
    assert lookup.find(["unknown"]) == []


def test_sql_is_compiled_once_for_each_power_of_two(lookup, tokens, monkeypatch):
    compiled = []
    compile_sql = SQLCompiler.as_sql
    monkeypatch.setattr(
        SQLCompiler,
        "as_sql",
        lambda self, *a, **k: compiled.append(1) or compile_sql(self, *a, **k),
    )
    for number in (1, 1, 2, 3, 4, 3, 4):
        assert len(lookup.find([token.key for token in tokens[:number]])) == number
    assert len(compiled) == 3


def test_a_column_of_another_type_is_prepared_as_the_orm_does_it():
    member = Member.objects.create(email="a@example.com")
    by_pk = Lookup(Member.objects.all, "pk")
    assert by_pk.find([member.pk]) == by_pk.find([str(member.pk)]) == [member]


def test_a_query_with_parameters_of_its_own_is_an_error():
    with pytest.raises(TypeError, match="parameters of its own"):
        Lookup(lambda: Token.objects.filter(user=5), "key").find(["k"])
