"""Names of users on the pages of one tenant: those of its own users only."""

import pytest
from django.contrib.auth.models import User

from channels_token_auth.admin.panels import panels
from channels_token_auth.cluster.overview import Overview, UserCount
from channels_token_auth.tenants.site import site_tenants
from channels_token_auth.usernames import is_site_user


@pytest.fixture
def tenants(settings):
    settings.CHANNELS_TOKEN_AUTH = {
        "BACKENDS": [{"BACKEND": "channels_token_auth.backends.drf.DRFTokenBackend"}],
        "TENANTS": "tests.tenants.fakes.FakeTenants",
    }
    return site_tenants()


def counted(kind, user_id, sockets):
    return UserCount(user_kind=kind, user_id=user_id, sockets=sockets)


@pytest.mark.parametrize(
    ("kind", "is_ours"),
    [
        (None, True),
        ("auth.user", True),
        ("auth.user@acme", True),
        ("auth.user@globex", False),
        ("issuer:https://id.test@acme", False),
    ],
)
def test_users_of_the_tenant_have_a_row(tenants, kind, is_ours):
    tenants.active = "acme"
    assert is_site_user(kind) is is_ours


@pytest.mark.parametrize(
    ("active", "rows"),
    [("acme", [("ada", 3)]), (None, [("7", 5), ("{pk}", 3), ("anonymous", 2)])],
)
def test_page_of_a_tenant_shows_no_users_of_another(tenants, db, active, rows):
    ada = User.objects.create_user("ada")
    tenants.active = active
    users = [
        counted("auth.user@globex", "7", 5),
        counted("auth.user@acme", str(ada.pk), 3),
        counted(None, None, 2),
    ]
    by_user, *_ = panels(Overview(nodes={}, users=users, closes={}, limits={}))
    assert by_user["rows"] == [(name.format(pk=ada.pk), sockets) for name, sockets in rows]


def test_site_without_tenants_shows_all_users(db):
    ada = User.objects.create_user("ada")
    users = [counted("auth.user", str(ada.pk), 3), counted(None, None, 2)]
    by_user, *_ = panels(Overview(nodes={}, users=users, closes={}, limits={}))
    assert by_user["rows"] == [("ada", 3), ("anonymous", 2)]
