"""The silence of a client."""

from channels_token_auth.core.lifecycle import Idle


def listening(seconds=10):
    idle = Idle(seconds, 0)
    idle.listens_since = 0
    return idle


def test_silence_of_the_whole_time_is_too_long():
    assert listening().tick(10)


def test_frame_is_made_up_for_at_the_next_tick():
    idle = listening()
    idle.listens_since = None
    idle.listens_since = 4
    assert idle.due == 10
    assert not idle.tick(10)
    assert idle.due == 14
    assert idle.tick(14)


def test_client_whose_frames_wait_is_not_silent():
    idle = listening()
    idle.listens_since = None
    assert not idle.tick(10)
    assert not idle.is_listening
    assert idle.due == 20


def test_silence_counts_from_when_the_server_waits():
    idle = Idle(10, 0)
    assert not idle.tick(10)
    idle.listens_since = 12
    assert not idle.tick(20)
    assert idle.tick(22)
