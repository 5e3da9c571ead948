"""Ids of sockets are random, and never given twice, not even to two processes."""

import os
import threading

from channels_token_auth.random_ids import DRAWN, new_id


def test_ids_are_sixteen_hexadecimal_digits_and_all_differ():
    ids = [new_id() for _ in range(5 * DRAWN)]
    assert len(set(ids)) == len(ids)
    assert {len(each) for each in ids} == {16}
    assert set("".join(ids)) == set("0123456789abcdef")


def test_threads_get_different_ids():
    ids = []
    threads = [
        threading.Thread(target=lambda: ids.extend(new_id() for _ in range(DRAWN)))
        for _ in range(4)
    ]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len(set(ids)) == 4 * DRAWN


def test_a_fork_has_ids_of_its_own():
    new_id()  # so that the parent has drawn some
    reader, writer = os.pipe()
    if not (child := os.fork()):
        try:
            os.write(writer, "".join(new_id() for _ in range(DRAWN)).encode())
        finally:
            os._exit(0)
    os.close(writer)
    os.waitpid(child, 0)
    with os.fdopen(reader) as pipe:
        text = pipe.read()
    of_child = {text[i : i + 16] for i in range(0, len(text), 16)}
    assert len(of_child) == DRAWN
    assert of_child.isdisjoint(new_id() for _ in range(DRAWN))
