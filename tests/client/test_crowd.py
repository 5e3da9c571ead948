"""Two hundred clients lose their server at once, as in a deployment, and reconnect spread out."""

import json
import subprocess
from collections import Counter

from django.contrib.auth.models import User

from tests.browser.protocol_site import running_site
from tests.client.node import CLIENT, NODE

CLIENTS = 200
TENTHS_OF_THE_WINDOW = 15  # from 0.5 to 2 s


def test_all_clients_reconnect_and_their_waits_are_spread():
    program = [NODE, CLIENT / "tests" / "crowd.ts"]
    with running_site() as site:
        site.tokens.issue(User(pk=7, username="ada"), token="ada")
        options = {"stdout": subprocess.PIPE, "text": True}
        with subprocess.Popen([*program, site.url, str(CLIENTS)], **options) as crowd:
            try:
                assert crowd.stdout.readline() == "in\n"
                site.stop()
                site.start()
                waits = json.loads(crowd.stdout.readline())
                assert crowd.wait(600) == 0
            finally:
                crowd.kill()
    by_tenth = Counter(int(10 * wait) for wait in waits)
    assert len(waits) == CLIENTS
    assert len(by_tenth) >= TENTHS_OF_THE_WINDOW - 2
    assert max(by_tenth.values()) < 5 * CLIENTS / TENTHS_OF_THE_WINDOW
