"""Every block of code in the pages is valid: it compiles, its names exist, its settings pass."""

import ast
import importlib
import json
import re
import subprocess
from collections import defaultdict
from types import SimpleNamespace

import pytest
from django.core.checks import run_checks
from django.core.management import get_commands, load_command_class

from tests.client.node import NODE
from tests.docs.pages import PAGES, read, snippets

# A block may also be an entry of a dictionary, or the arguments of a call.
PYTHON_FORMS = ("{}", "{{{}\n}}", "f({}\n)")
JAVASCRIPT_FORMS = ("{}", "async () => {{{}\n}}", "({{{}\n}})")
# It compiles modules without running them, all of a page in one process.
COMPILE = """
import { readFileSync } from "node:fs";
import { SourceTextModule } from "node:vm";
const mistake = (code) => {
  try {
    new SourceTextModule(code);
    return "";
  } catch (error) {
    return String(error);
  }
};
console.log(JSON.stringify(JSON.parse(readFileSync(0)).map((forms) => forms.map(mistake))));
"""
SETTING = "CHANNELS_TOKEN_AUTH"
OPTION = re.compile(r"--[a-z][a-z-]*")
WRONG_SETTINGS = {"channels_token_auth.E001", "channels_token_auth.E002"}
# Their settings name modules of a site: tests of their own make that site, and run them.
OF_A_SITE = {"docs/how-to/backends/write-your-own.md", "docs/how-to/scopes.md"}
# Its blocks are signatures, which are generated from the code.
WRITTEN = [page for page in PAGES if page != "docs/reference/python.md"]


def parsed(block):
    """Return the syntax tree of a block of Python."""
    block = re.sub(r'^"\w+": .*$', "", block, flags=re.MULTILINE)  # an entry below a class
    for form in PYTHON_FORMS:
        try:
            return ast.parse(form.format(block))
        except SyntaxError as error:
            mistake = error
    raise mistake


def imports(page):
    """Yield each module of the library that a page imports from, and the names that it needs."""
    for block in snippets(page, "python"):
        for node in ast.walk(parsed(block)):
            if isinstance(node, ast.ImportFrom) and str(node.module).startswith("channels_token"):
                yield node.module, [each.name for each in node.names]


@pytest.mark.parametrize("page", WRITTEN)
def test_python_compiles_and_imports_what_exists(page):
    for module, names in imports(page):
        there = dir(importlib.import_module(module))
        assert [name for name in names if name not in there] == [], module


def settings_of(page):
    """Yield each CHANNELS_TOKEN_AUTH of a page; its secrets come from an environment."""
    secrets = SimpleNamespace(environ=defaultdict(lambda: "of no worth: for this test only"))
    for block in snippets(page, "python"):
        for node in ast.walk(parsed(block)):
            is_ours = isinstance(node, ast.Assign) and ast.unparse(node.targets) == SETTING
            if is_ours:
                yield eval(ast.unparse(node.value), {"DEBUG": True, "os": secrets})


@pytest.mark.parametrize(
    "page", [page for page in WRITTEN if page not in OF_A_SITE and any(settings_of(page))]
)
@pytest.mark.django_db  # checks of models ask it, from Django 6.1 on
def test_settings_are_right(page, settings):
    for value in settings_of(page):
        settings.CHANNELS_TOKEN_AUTH = value
        assert [each for each in run_checks() if each.id in WRONG_SETTINGS] == []


@pytest.mark.parametrize("page", [page for page in PAGES if snippets(page, "js")])
def test_javascript_compiles(page):
    blocks = [[form.format(block) for form in JAVASCRIPT_FORMS] for block in snippets(page, "js")]
    for errors in mistakes(blocks):
        assert "" in errors, errors[0]


def test_mistake_in_javascript_is_found():
    ((found, none),) = mistakes([["await fetch(1) const a", "await fetch(1); const a = 1"]])
    assert found
    assert none == ""


def mistakes(blocks):
    """Return what Node finds wrong in each form of each block; an empty text is nothing."""
    flags = ["--experimental-vm-modules", "--no-warnings", "--input-type=module"]
    command = [NODE, *flags, "--eval", COMPILE]
    printed = subprocess.run(
        command, input=json.dumps(blocks), capture_output=True, text=True, check=True
    )
    return json.loads(printed.stdout)


@pytest.mark.parametrize("page", [page for page in PAGES if "manage.py token_" in read(page)])
def test_commands_have_the_options_that_a_page_names(page):
    for name, arguments in re.findall(r"manage\.py (token_\w+)([^\n`;|&]*)", read(page)):
        assert get_commands()[name] == "channels_token_auth"
        parser = load_command_class("channels_token_auth", name).create_parser("manage.py", name)
        known = set(OPTION.findall(parser.format_help()))
        assert set(OPTION.findall(arguments)) <= known, name
