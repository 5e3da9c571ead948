"""The garbage collector in a process of tests."""

import gc

import pytest


def test_collector_works_and_leaves_out_what_was_there_before_the_first_test():
    assert gc.isenabled()
    assert not any(each is vars(pytest) for each in gc.get_objects())
