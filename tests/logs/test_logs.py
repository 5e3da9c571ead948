"""Logs of servers show no secret, whatever prints it."""

import importlib.util
import json
import logging
import re
import subprocess
import sys
from pathlib import Path
from types import MappingProxyType

import pytest
from hypercorn.logging import AccessLogAtoms
from uvicorn.logging import AccessFormatter
from websockets.frames import Frame, Opcode

from channels_token_auth.core.redaction import MARK
from channels_token_auth.observability.audit import LOGGER
from channels_token_auth.observability.redaction_filter import (
    LOGGERS,
    MAX_CLEAN,
    RedactionFilter,
)
from tests import launcher
from tests.docs.pages import ROOT, table

KEY = "9944b09199c62bcf9418ad846dd0e4bbdfc6ee4b"


class Unprintable:
    def __str__(self):
        raise RuntimeError(KEY)


@pytest.fixture
def log():
    """A logger as a server has one, with a filter of our own, and the records it let pass."""
    logger = logging.Logger("uvicorn.error")  # noqa: LOG001 - one that no other test can reach
    logger.records = []
    handler = logging.Handler()
    handler.emit = logger.records.append
    logger.addHandler(handler)
    logger.addFilter(RedactionFilter())
    return logger


def shown(log, formatter=None):
    """The one record, as a handler prints it."""
    (record,) = log.records
    return (formatter or logging.Formatter()).format(record)


def test_a_record_without_a_secret_stays_as_it_was(log):
    scope = {"path": "/ws/"}
    log.info("%s %r", "open", scope)
    (record,) = log.records
    assert (record.msg, record.args) == ("%s %r", ("open", scope))
    assert record.args[1] is scope


def test_the_arguments_stay_apart_for_the_formatter_of_an_access_log(log):
    path = f"/ws/?token={KEY}&x=1"
    log.info('%s - "%s %s HTTP/%s" %d', "127.0.0.1:4000", "GET", path, "1.1", 200)
    formatter = AccessFormatter("%(client_addr)s %(request_line)s %(status_code)s", use_colors=True)
    assert log.records[0].args[2:] == (f"/ws/?token={MARK}&x=1", "1.1", 200)
    assert f"GET /ws/?token={MARK}&x=1 HTTP/1.1" in shown(log, formatter)


def test_a_secret_known_by_the_argument_before_it_is_redacted(log):
    log.debug("< %s: %s", "authorization", f"Bearer {KEY}")
    assert shown(log) == f"< authorization: Bearer {MARK}"


def test_a_secret_cut_in_two_by_the_template_is_redacted(log):
    log.info("token=%s%s", KEY[:20], KEY[20:])
    assert shown(log) == f"token={MARK}"


def test_the_arguments_of_a_template_by_name_keep_their_kind(log):
    scope = {"type": "websocket", "path": "/ws/", "scheme": "ws", "headers": []}
    atoms = AccessLogAtoms(scope | {"query_string": f"token={KEY}".encode()}, None, 0.1)
    log.info('%(h)s "%(R)s" %({x-unknown}i)s', atoms)
    assert shown(log) == f'None "GET /ws/?token={MARK} ws" -'
    assert type(log.records[0].args) is AccessLogAtoms
    assert KEY in atoms["R"]


def test_arguments_that_cannot_be_copied_are_written_into_the_message(log):
    log.info("%(path)s", MappingProxyType({"path": f"/?token={KEY}"}))
    assert shown(log) == f"/?token={MARK}"
    assert log.records[0].args == ()


def test_a_name_that_is_added_later_is_redacted_in_a_text_that_had_no_secret():
    rules = RedactionFilter()
    path = "/chat/?api_key=hunter2"
    assert [rules.redacted(path), rules.redacted(path)] == [path, path]
    rules.add(["api_key"])
    assert rules.redacted(path) == f"/chat/?api_key={MARK}"


def test_a_flood_of_texts_is_redacted_like_any_other():
    rules = RedactionFilter()
    for number in range(2 * MAX_CLEAN):
        assert rules.redacted(f"/{number}/") == f"/{number}/"
        assert rules.redacted(f"/{number}/?token=abc") == f"/{number}/?token={MARK}"


def test_a_message_that_is_no_string_is_redacted(log):
    log.error(ValueError(f"/?token={KEY} at 100%"))
    assert shown(log) == f"/?token={MARK} at 100%"


@pytest.mark.parametrize("opcode", [Opcode.TEXT, Opcode.BINARY])
@pytest.mark.parametrize("token", [KEY[:12], KEY, KEY * 8])
@pytest.mark.parametrize(
    "message",
    [
        '{{"type":"auth","token":"{}"}}',
        '{{"token": "{}", "type": "auth"}}',
        '{{"type": "auth", "device": "something long to say", "token": "{}"}}',
    ],
)
def test_a_frame_as_websockets_prints_it_is_redacted(log, message, token, opcode):
    log.debug("< %s", Frame(opcode, message.format(token).encode()))
    assert MARK in shown(log)
    assert token[:6] not in shown(log)
    assert token[-6:] not in shown(log)


def test_a_traceback_is_redacted_and_its_exception_stays(log):
    error = ValueError(f"cannot parse token={KEY}")
    log.error("failed", exc_info=error)
    assert shown(log) == f"failed\nValueError: cannot parse token={MARK}"
    assert log.records[0].exc_info[1] is error


def test_a_traceback_without_a_secret_is_left_to_the_formatter(log):
    log.error("failed", exc_info=ValueError("nothing to hide"))
    assert log.records[0].exc_text is None


def test_a_traceback_that_another_handler_formatted_is_redacted(log):
    record = log.makeRecord(log.name, logging.ERROR, __file__, 1, "failed", (), None)
    record.exc_text = f"ValueError: token={KEY}"
    log.handle(record)
    assert shown(log) == f"failed\nValueError: token={MARK}"


def test_a_traceback_that_cannot_be_formatted_raises_nothing(log):
    record = log.makeRecord(log.name, logging.ERROR, __file__, 1, "failed", (), ("no", "such"))
    log.handle(record)
    assert log.records == [record]


def test_a_stack_is_redacted(log):
    log.info(f"stacked {len(KEY)}", stack_info=True)  # noqa: G004 - here is the /?token=S3cr3t.
    assert "here is the /?token=[redacted]" in shown(log)
    assert "S3cr3t" not in shown(log)


@pytest.mark.parametrize("args", [(f"token={KEY}", "one too many"), (Unprintable(),)])
def test_a_record_that_cannot_be_formatted_is_withheld(log, args):
    log.error("%s", *args)
    assert shown(log).startswith(f"{MARK} (a record that cannot be formatted, of {__file__}:")
    assert KEY not in str(vars(log.records[0]))


def test_names_of_the_site_are_added(log):
    log.filters = [RedactionFilter(["api_key"])]
    log.info("/?api_key=%s&token=%s", KEY, KEY)
    assert shown(log) == f"/?api_key={MARK}&token={MARK}"


INSTALL = """
import logging
from channels_token_auth.observability.redaction_filter import LOGGERS, install
install(["api_key"])
install(["session_key"])
for name in LOGGERS:
    print(*(",".join(sorted(each.names)) for each in logging.getLogger(name).filters))
"""


def test_installing_twice_filters_once_and_adds_the_names():
    finished = launcher.run_code(INSTALL)
    assert finished.stdout.splitlines() == ["api_key,session_key,ticket,token"] * len(LOGGERS)


@pytest.mark.asvs("16.2.3")
def test_library_writes_to_the_loggers_of_the_logging_page_only():
    listed = {name for name, *_ in table("docs/how-to/logging.md", "logger")}
    sources = [path.read_text() for path in (ROOT / "src").rglob("*.py")]
    # The redaction filter gets loggers of servers by a variable, and writes to none of them.
    named = {
        name for text in sources for name in re.findall(r"logging\.getLogger\(([^)]*)\)", text)
    } - {"name"}
    assert named == {'"channels_token_auth"', "LOGGER"}
    assert listed == {"channels_token_auth", LOGGER}


@pytest.mark.parametrize("server", ["daphne", "granian", "hypercorn", "uvicorn", "websockets"])
def test_every_logger_of_the_installed_servers_is_named(server):
    package = Path(importlib.util.find_spec(server).origin).parent
    made = set()
    for path in package.rglob("*.py"):
        module = ".".join(path.relative_to(package.parent).with_suffix("").parts)
        source = path.read_text()
        made |= {module} if "getLogger(__name__)" in source else set()
        made |= set(re.findall(r"""(?:getLogger|_create_logger)\(\s*["']([\w.]+)""", source))
    assert made
    assert made <= set(LOGGERS), "name the new ones in LOGGERS"


CONFIGURE = {
    "daphne": "logging.basicConfig(level=logging.DEBUG)",
    "granian": "import granian.log as g; g.configure_logging(g.LogLevels.debug)",
    "hypercorn": """
import hypercorn.config, hypercorn.logging
hypercorn.logging.Logger(hypercorn.config.Config.from_mapping(accesslog="-", errorlog="-"))""",
    "uvicorn": "import uvicorn; uvicorn.Config(None, log_level='trace')",
}
PROGRAM = """
import json, logging, sys
from channels_token_auth.observability.redaction_filter import LOGGERS, install
for step in json.loads(sys.argv[1]):
    exec(step)
logging.basicConfig()
for name in LOGGERS:
    logger = logging.getLogger(name)
    logger.disabled or logger.critical("%s /?token=" + sys.argv[2], name)
"""


@pytest.mark.parametrize("is_first", [True, False], ids=["before", "after"])
@pytest.mark.parametrize("server", CONFIGURE)
def test_the_filter_outlives_a_server_that_configures_logging(server, is_first):
    steps = ["install()", CONFIGURE[server]]
    # The secret is an argument: since Python 3.13 a traceback shows the source of a `-c` program.
    program = [sys.executable, "-c", PROGRAM, json.dumps(steps if is_first else steps[::-1]), KEY]
    run = subprocess.run(program, capture_output=True, text=True, check=True, timeout=60)
    printed = run.stdout + run.stderr
    assert KEY not in printed
    assert [name for name in LOGGERS if f"{name} /?token={MARK}" not in printed] == []
