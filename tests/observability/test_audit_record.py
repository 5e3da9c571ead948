"""Audit records that the library builds itself, compared with those of Python's `logging`."""

import asyncio
import functools
import json
import logging
import threading
import time
from contextlib import contextmanager
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels_token_auth.observability import audit_record
from channels_token_auth.observability.events import ConnectionFacts

FIELDS = {"user_id": "1", "origin": None, "close_code": 4410, "path": "/\n/"}
TIMES = {"created", "msecs", "relativeCreated", "lineno", "pathname"}


@contextmanager
def keeping(kept):
    handler = logging.Handler()
    handler.emit = kept.append
    audit_record.logger.addHandler(handler)
    level = audit_record.logger.level
    audit_record.logger.setLevel(logging.INFO)
    yield
    audit_record.logger.setLevel(level)
    audit_record.logger.removeHandler(handler)


@pytest.fixture
def records():
    kept = []
    with keeping(kept):
        yield kept


def write(level=logging.INFO):
    audit_record.write(level, "shown", "signal", FIELDS, at=time.time())


def of_python():
    extra = {"event": "shown", "signal": "signal", **FIELDS}
    text = 'user_id="1" origin=null close_code=4410 path="/\\n/"'
    return logging.getLogger(audit_record.LOGGER).makeRecord(
        *(audit_record.LOGGER, logging.INFO, "", 1, "%s %s", ("shown", text), None, "write", extra)
    )


def comparable(record):
    # A formatter adds the message.
    own = {"filename", "module", "message"}
    return {key: value for key, value in vars(record).items() if key not in TIMES | own}


def test_each_record_has_the_attributes_of_one_that_python_makes(records):
    for _ in range(3):
        write()
    expected = of_python()
    for record in records:
        assert comparable(record) == comparable(expected)
        assert record.getMessage() == expected.getMessage()
        assert type(record) is logging.LogRecord


def test_each_control_character_of_a_client_is_escaped(records):
    path = "".join(map(chr, (*range(0x20), *range(0x7F, 0xA0))))
    audit_record.write(logging.INFO, "shown", "signal", {"path": path}, at=time.time())
    (record,) = records
    assert record.getMessage().isprintable()
    assert json.loads(record.getMessage().partition("path=")[2]) == path


SOCKET = tuple(ConnectionFacts.__annotations__)
VALUES = st.text(max_size=5) | st.none()
ALWAYS = {"connection_id": st.text(), "node": st.text(), "path": st.text()}
MORE = {"code": VALUES, "close_code": st.integers() | st.none()}


@given(st.fixed_dictionaries(dict.fromkeys(SOCKET, VALUES) | ALWAYS, optional=MORE))
def test_text_of_a_socket_has_all_fields_in_their_order_as_json(drawn):
    fields = {key: drawn[key] for key in (*SOCKET, *MORE) if key in drawn}
    text = " ".join(f"{key}={json.dumps(value)}" for key, value in fields.items())
    kept = []
    with keeping(kept):
        audit_record.write(logging.INFO, "shown", "of_socket", fields, at=0.0)
    (record,) = kept
    assert record.getMessage() == f"shown {text}"
    assert {key: vars(record)[key] for key in fields} == fields


@pytest.mark.parametrize(("token_id", "text"), [(7, "7"), (UUID(int=7), f'"{UUID(int=7)}"')])
def test_id_of_a_token_may_be_any_object(records, token_id, text):
    fields = dict.fromkeys(SOCKET, "a") | {"token_id": token_id}
    for _ in range(2):
        audit_record.write(logging.INFO, "shown", "of_socket", fields, at=0.0)
    for record in records:
        assert f" token_id={text} " in record.getMessage()
        assert record.token_id is token_id
    assert len(records) == 2


def test_no_record_has_a_field_of_an_earlier_one(records):
    write()
    audit_record.write(logging.INFO, "renamed", "signal", {"user_id": "2"}, at=time.time())
    write()
    _, other, third = (vars(each) for each in records)
    assert (other["event"], other["user_id"], other["path"]) == ("renamed", "2", None)
    assert (third["event"], third["user_id"], third["path"]) == ("shown", "1", FIELDS["path"])


def test_each_record_has_its_own_time(records):
    write()
    write()
    later = of_python()
    first, second = records
    assert first.created <= second.created <= later.created
    assert later.relativeCreated - second.relativeCreated == pytest.approx(
        (later.created - second.created) * 1000, abs=1
    )
    assert int((second.created % 1) * 1000) == second.msecs


def test_records_of_other_threads_and_levels_differ_in_them(records):
    write()
    thread = threading.Thread(target=write, name="another")
    thread.start()
    thread.join()
    write(logging.WARNING)
    write()
    here = threading.current_thread().name
    assert [each.threadName for each in records] == [here, "another", here, here]
    assert len({each.thread for each in records}) == 2
    assert [each.levelname for each in records] == ["INFO", "INFO", "WARNING", "INFO"]


def test_each_record_names_its_own_task(records):
    async def named(name):
        asyncio.current_task().set_name(name)
        write()
        return vars(of_python()).get("taskName")

    write()
    expected = [asyncio.run(named("one")), asyncio.run(named("two"))]
    write()
    assert [vars(each).get("taskName") for each in records] == [None, *expected, None]


def test_a_factory_of_the_site_makes_the_records(records):
    class Own(logging.LogRecord):
        pass

    write()
    before = logging.getLogRecordFactory()
    logging.setLogRecordFactory(Own)
    try:
        write()
        write()
    finally:
        logging.setLogRecordFactory(before)
    write()
    assert [type(each) for each in records] == [logging.LogRecord, Own, Own, logging.LogRecord]


@pytest.fixture
def traced(monkeypatch):
    """Add another trace to each record, as tracers do that patch `logging`."""
    python, traces = logging.Logger.makeRecord, iter(range(9))

    @functools.wraps(python)
    def make(*args, **named):
        record = python(*args, **named)
        record.trace = next(traces)
        return record

    def patch():
        monkeypatch.setattr(logging.Logger, "makeRecord", make)

    yield patch
    monkeypatch.undo()


def test_a_patch_of_the_logger_class_makes_each_record(records, traced):
    write()
    traced()
    for _ in range(3):
        write()
    assert [vars(each).get("trace") for each in records] == [None, 0, 1, 2]


def test_no_record_has_the_trace_of_an_earlier_one(records, traced, monkeypatch):
    traced()
    write()
    monkeypatch.undo()
    write()
    assert [vars(each).get("trace") for each in records] == [0, None]


def test_a_logger_class_of_the_site_makes_the_records(records, monkeypatch):
    class Own(logging.Logger):
        def makeRecord(self, *args):  # noqa: N802 - a name of Python's
            record = super().makeRecord(*args)
            record.site = "own"
            return record

    write()
    monkeypatch.setattr(audit_record.logger, "__class__", Own)
    write()
    write()
    assert [vars(each).get("site") for each in records] == [None, "own", "own"]


def test_a_factory_that_adds_a_field_of_the_event_loses_no_record(records):
    python = logging.getLogRecordFactory()

    def make(*args, **named):
        record = python(*args, **named)
        record.user_id = record.site = "site"
        return record

    logging.setLogRecordFactory(make)
    try:
        write()
    finally:
        logging.setLogRecordFactory(python)
    assert [(each.user_id, each.site) for each in records] == [("1", "site")]


def test_a_thread_with_the_id_of_another_has_its_own_name(records, monkeypatch):
    write()
    monkeypatch.setattr(threading.current_thread(), "name", "renamed")
    write()
    assert records[1].threadName == "renamed" != records[0].threadName


@pytest.mark.parametrize(
    ("switch", "attribute"),
    [
        ("logThreads", "threadName"),
        ("logProcesses", "process"),
        ("logMultiprocessing", "processName"),
    ],
)
def test_a_switch_of_logging_takes_effect_at_once(records, monkeypatch, switch, attribute):
    write()
    monkeypatch.setattr(logging, switch, False)
    write()
    monkeypatch.undo()
    write()
    assert [vars(each)[attribute] is None for each in records] == [False, True, False]
