"""Rows by the values of one column, with SQL that is compiled once."""

import pytest
from django.contrib.auth import get_user_model
from django.db import OperationalError, models
from django.db.models.sql.compiler import SQLCompiler
from rest_framework.authtoken.models import Token

from channels_token_auth.backends.sources.lookup import LARGEST, Lookup, read
from tests.backends.own_users.models import Member

pytestmark = [pytest.mark.database, pytest.mark.django_db]


def with_users(rows):
    return rows.select_related("user")


@pytest.fixture
def lookup():
    return Lookup(lambda: Token.objects, "key", with_users)


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
    orm = with_users(Token.objects).get(key=tokens[0].key)
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


@pytest.mark.parametrize(
    "hostile",
    [
        "' OR '1'='1",
        "x') OR ('1'='1",
        "'; DELETE FROM authtoken_token; --",
        '" OR ""="',
        "key%",
        "%s",
        "%(key)s",
        "\\' OR 1=1 --",
    ],
)
@pytest.mark.asvs("1.2.4")
def test_value_is_a_parameter_and_never_a_part_of_the_sql(lookup, tokens, hostile):
    assert lookup.find([hostile]) == []
    (row,) = lookup.find([tokens[0].key, hostile])
    assert row.key == tokens[0].key
    assert Token.objects.count() == len(tokens)


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
    by_pk = Lookup(lambda: Member.objects, "pk")
    assert by_pk.find([member.pk]) == by_pk.find([str(member.pk)]) == [member]


def names_of(rows):
    return {row.username for row in rows}


class Tenants(models.Manager):
    """Show one tenant's users, who are those whose first name is `tenant`."""

    tenant = "a"

    def get_queryset(self):
        return super().get_queryset().filter(first_name=self.tenant)


@pytest.fixture
def tenants():
    users = [get_user_model()(username=f"{t}{n}", first_name=t) for t in "ab" for n in range(2)]
    get_user_model().objects.bulk_create(users)
    manager = Tenants()
    manager.model = get_user_model()
    return manager


def test_manager_with_parameters_is_called_anew_for_each_query(tenants, django_assert_num_queries):
    lookup = Lookup(lambda: tenants, "username")
    for tenants.tenant in "aba":
        with django_assert_num_queries(1):
            found = names_of(lookup.find(["a0", "a1", "b0", "b1"]))
        assert found == {f"{tenants.tenant}0", f"{tenants.tenant}1"}


class Prefixed(models.CharField):
    """A key such as "usr_1", whose type rejects everything else."""

    def to_python(self, value):
        if not str(value).startswith("usr_"):
            raise ValueError(value)
        return value


def test_column_whose_type_rejects_numbers_is_asked_too(monkeypatch):
    user = get_user_model().objects.create(username="usr_1")
    field = get_user_model()._meta.get_field("username")
    monkeypatch.setattr(type(field), "to_python", Prefixed.to_python)
    lookup = Lookup(lambda: get_user_model().objects, "username")
    assert [lookup.find(["usr_1"]), lookup.find(["usr_2"])] == [[user], []]


class Balancing:
    """Route each question about a table to the next alias."""

    asked = ()

    def db_for_read(self, model, **hints):
        Balancing.asked = (*Balancing.asked, model)
        return "default"


def test_router_is_asked_once_for_each_query(lookup, tokens, settings, monkeypatch):
    settings.DATABASE_ROUTERS = [f"{__name__}.Balancing"]
    for number in (1, 1, 3, LARGEST + 1):
        monkeypatch.setattr(Balancing, "asked", ())
        assert len(lookup.find([token.key for token in tokens[:number]])) == number
        assert Balancing.asked == (Token,)


class Primary:
    """Route writes to a database that no test can reach."""

    def db_for_write(self, model, **hints):
        return "unreachable"


def test_primary_is_not_asked_for_what_the_replica_has(lookup, tokens, settings):
    settings.DATABASE_ROUTERS = [f"{__name__}.Primary"]
    key = tokens[0].key
    rows = Token.objects.filter(key=key)
    assert read(rows, lambda found: {each.key: each for each in found}, {key}) == {key: tokens[0]}
    assert lookup.find([key]) == [tokens[0]]


def test_no_other_database_is_asked_than_the_one_that_the_manager_names(tokens, settings):
    settings.DATABASE_ROUTERS = [f"{__name__}.Primary"]
    named = Lookup(lambda: Token.objects.db_manager("default"), "key")
    assert named.find([tokens[0].key, "unknown"]) == [tokens[0]]


def test_query_with_parameters_of_its_own_is_not_compiled(tokens):
    own = Lookup(lambda: Token.objects, "key", lambda rows: rows.filter(user__username="user 0"))
    keys = [token.key for token in tokens[:2]]
    assert [own.find(keys), own.find(keys)] == [[tokens[0]]] * 2


def test_database_that_fails_is_not_taken_for_a_column_of_an_odd_type(
    lookup, tokens, monkeypatch, django_assert_num_queries
):
    def fail(*_, **__):
        raise OperationalError

    with monkeypatch.context() as patch:
        patch.setattr(SQLCompiler, "as_sql", fail)
        with pytest.raises(OperationalError):
            lookup.find([tokens[0].key])
    with django_assert_num_queries(1):
        assert lookup.find([tokens[0].key]) == [tokens[0]]
