"""A node knows the others that announced themselves."""

from channels_token_auth.cluster.subscription import Subscription
from channels_token_auth.node.presence import Presence


def presence():
    return Presence("here", Subscription(lambda *_: None, lambda: None), interval=60)


async def test_only_another_node_that_is_new_has_to_learn_of_this_ones_sockets():
    nodes = presence()
    assert [nodes.note(name) for name in ("there", "there", "here", "elsewhere")] == [
        True,
        False,
        False,
        True,
    ]
    assert nodes.peers() == ["elsewhere", "here", "there"]
