"""The built client is a static file of the Python package."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from django.contrib.staticfiles import finders
from django.contrib.staticfiles.storage import ManifestStaticFilesStorage
from django.core.management import call_command
from django.templatetags.static import static
from django.test import modify_settings

from tests.docs.pages import ROOT

FOLDER = "channels_token_auth/"
SCRIPTS = [FOLDER + "token-socket.js", FOLDER + "token-socket.classic.js"]
FILES = sorted([*SCRIPTS, *(script + ".map" for script in SCRIPTS)])


@pytest.mark.parametrize("file", FILES)
def test_static_file_is_found(file):
    assert Path(finders.find(file)).is_file()


def test_static_file_is_collected_under_a_name_with_its_digest(settings, tmp_path):
    """The storage that sites use in production follows the source map, and fails without it."""
    storage = f"{ManifestStaticFilesStorage.__module__}.{ManifestStaticFilesStorage.__qualname__}"
    settings.STORAGES = {**settings.STORAGES, "staticfiles": {"BACKEND": storage}}
    settings.STATIC_ROOT, settings.STATIC_URL = tmp_path, "/static/"
    with modify_settings(INSTALLED_APPS={"append": "django.contrib.staticfiles"}):
        call_command("collectstatic", interactive=False, verbosity=0)
        for script in SCRIPTS:
            collected = tmp_path / static(script).removeprefix("/static/")
            last_line = collected.read_text().splitlines()[-1]
            assert collected.name != Path(script).name
            assert (collected.parent / last_line.removeprefix("//# sourceMappingURL=")).is_file()


def test_wheel_contains_the_static_files(tmp_path):
    build = [sys.executable, "-m", "hatchling", "build", "--target=wheel", "--directory", tmp_path]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    held = zipfile.ZipFile(wheel).namelist()
    assert {"channels_token_auth/static/" + file for file in FILES} <= set(held)
