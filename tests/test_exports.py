"""The public API: the names that sites import from the package, none more and none fewer."""

import subprocess
import sys

import channels_token_auth

PUBLIC = {
    "Authentication",
    "BaseTokenBackend",
    "CloseReason",
    "Credential",
    "Detail",
    "Grant",
    "Identity",
    "Location",
    "IssuedToken",
    "RevocationSignal",
    "Revocations",
    "RevokedTokens",
    "Secret",
    "Site",
    "TokenAuthError",
    "TokenBackend",
    "Verdict",
    "aconnections",
    "adisconnect",
    "admit",
    "arevoke",
    "arevoke_token",
    "arevoke_user",
    "connections",
    "disconnect",
    "remember_login",
    "requires_scopes",
    "revoke",
    "revoke_token",
    "revoke_user",
}


def test_package_exports_these_names():
    assert set(channels_token_auth.__all__) == PUBLIC


def test_every_export_can_be_imported():
    assert {name for name in PUBLIC if getattr(channels_token_auth, name, None) is None} == set()


def test_dir_lists_every_export():
    assert set(dir(channels_token_auth)) >= PUBLIC


def test_import_of_the_package_loads_no_django():
    program = "import channels_token_auth, sys; print('django' in sys.modules)"
    command = [sys.executable, "-c", program]
    assert subprocess.check_output(command, text=True).strip() == "False"
