"""Mistakes of the first hour are answered with what to write instead."""

import pytest

from channels_token_auth.checks import check_settings
from channels_token_auth.checks.application import application
from channels_token_auth.checks.backends import OWN
from tests.matrix.kinds import KINDS

OURS = "channels_token_auth.backends."
DRF = f"{OURS}drf.DRFTokenBackend"
MODULES = {
    "djangos": "application = get_asgi_application()",
    "harmful": "application = get_asgi_application()\nraise SystemExit",
    "wrapped": "application = get_asgi_application()\napplication = Router(application)",
    "routed": "django_application = get_asgi_application()\napplication = Router()",
    "imported": "from elsewhere import application",
    "broken": "application = (",
}


@pytest.fixture
def error(settings):
    """Return the only error of a site with these BACKENDS, apart from warnings."""

    def only(given):
        settings.CHANNELS_TOKEN_AUTH = {"BACKENDS": given}
        (found,) = (each for each in check_settings() if each.is_serious())
        return found

    return only


@pytest.fixture
def asgi(settings, tmp_path, monkeypatch):
    """Set ASGI_APPLICATION to a module with this source."""
    monkeypatch.syspath_prepend(tmp_path)

    def write(name):
        if name in MODULES:
            (tmp_path / f"asgi_{name}.py").write_text(MODULES[name])
        settings.ASGI_APPLICATION = f"asgi_{name}.application"

    return write


@pytest.mark.parametrize("name", ["djangos", "harmful"])
def test_asgi_module_that_answers_http_only_is_reported_and_not_run(asgi, name):
    asgi(name)
    (warning,) = application()
    assert warning.id == "channels_token_auth.W017"


@pytest.mark.parametrize("name", ["wrapped", "routed", "imported", "broken", "absent"])
def test_any_other_asgi_module_is_left_alone(asgi, name):
    asgi(name)
    assert list(application()) == []


@pytest.mark.parametrize(
    ("given", "remedy"),
    [
        ([], f'[{{"BACKEND": "{DRF}"}}]'),
        (f"{OURS}knox.KnoxTokenBackend", f'[{{"BACKEND": "{OURS}knox.KnoxTokenBackend"}}]'),
        ([f"{OURS}knox.KnoxTokenBackend"], f'{{"BACKEND": "{OURS}knox.KnoxTokenBackend"}}'),
        ({"BACKEND": "a.B"}, f'[{{"BACKEND": "{DRF}"}}]'),
        (None, f'[{{"BACKEND": "{DRF}"}}]'),
        ("s3cret!", f'[{{"BACKEND": "{DRF}"}}]'),
    ],
)
def test_backends_in_another_shape_are_answered_with_what_to_write(error, given, remedy):
    found = error(given)
    assert (found.id, remedy in found.msg) == ("channels_token_auth.E001", True)
    assert "s3cret" not in found.msg


def test_setting_whose_name_is_misspelt_is_found(settings):
    settings.CHANNEL_TOKEN_AUTH = settings.CHANNELS_TOKEN_AUTH
    del settings.CHANNELS_TOKEN_AUTH
    (found,) = check_settings()
    assert found.id == "channels_token_auth.E001"
    assert '"CHANNEL_TOKEN_AUTH"' in found.msg


@pytest.mark.parametrize(
    ("changes", "has_hint"),
    [
        ({"BACKENDS": []}, True),
        ({"ALLOWED_ORIGINS": ["https://example.com/"]}, False),
        ({"LOCATION": ["header"]}, False),
    ],
)
def test_smallest_setting_is_shown_only_where_backends_are_wrong(settings, changes, has_hint):
    settings.CHANNELS_TOKEN_AUTH = settings.CHANNELS_TOKEN_AUTH | changes
    (found,) = check_settings()
    assert (found.id, bool(found.hint)) == ("channels_token_auth.E001", has_hint)


@pytest.mark.parametrize(
    "path",
    [
        "channels_token_auth.backend.drf.DRFBackend",
        f"{OURS}drf.TokenBackend",
        f"{OURS}DRFTokenBackend",
    ],
)
def test_path_that_is_almost_right_is_answered_with_the_right_one(error, path):
    assert f'"{DRF}"' in error([{"BACKEND": path}]).hint


@pytest.mark.parametrize(
    ("path", "options", "named"),
    [
        ("drf.DRFTokenBackend", {"modell": "a.B"}, "'model'"),
        ("jwt.JWTBackend", {"algorithms": ["HS256"], "audiences": "x"}, "'audience'"),
        ("jwt.JWTBackend", {"key": "k" * 32}, "'algorithms'"),
        ("session.SessionBackend", {"x": 1}, "choose from: name"),
    ],
)
def test_wrong_option_is_named_as_an_option(error, path, options, named):
    found = error([{"BACKEND": OURS + path, "OPTIONS": options}])
    assert (found.id, named in found.msg) == ("channels_token_auth.E002", True)
    assert "__init__" not in found.msg


def test_every_backend_of_the_library_may_be_meant():
    assert set(OWN) == {kind.path for kind in KINDS}
