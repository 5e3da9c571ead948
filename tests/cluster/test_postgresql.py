"""The token store is killed: sockets stay, but where SWEEP_GRACE says otherwise."""

from tests.cluster.fleet import BOUND, WITH_GRACE, Fleet
from tests.cluster.outages import without_postgresql


def test_killed_store_closes_nobody_but_where_grace_has_run_out(fleet: Fleet) -> None:
    there = fleet.open_everywhere()
    with_grace = there.pop(WITH_GRACE)
    del fleet.bystanders[WITH_GRACE]
    with without_postgresql(fleet):
        assert with_grace.closes(BOUND) == 4503
        assert all(tab.answers() for tab in there.values())
    revoked = fleet.open_everywhere()
    for person in (there["daphne"].person, revoked["daphne"].person):
        fleet.delete(person)
    assert {tab.closes(BOUND) for tab in (*there.values(), *revoked.values())} == {4410}
