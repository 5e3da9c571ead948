"""Objects that are listed while they live."""

from channels_token_auth.living import Living


class Thing:
    pass


def test_object_is_listed_until_nothing_else_holds_it():
    living, one, other = Living(), Thing(), Thing()
    living.add(one)
    living.add(other)
    assert [*living] == [one, other]
    del other
    assert [*living] == [one]


def test_list_can_be_read_while_another_object_is_added():
    living, things = Living(), [Thing() for _ in range(9)]
    living.add(things[0])
    for _ in zip(living, things[1:], strict=False):
        living.add(things[1])
    assert [*living] == things[:2]
