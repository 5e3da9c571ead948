"""Draw how-to/backends/index.md from the kinds of the matrix: `python -m docs.make_features`.

Each cell is what a test in tests/matrix has found true on SQLite and PostgreSQL.
"""

import os
from pathlib import Path

import django
from django.apps import apps

if not apps.ready:  # as a program: the kinds import models
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    django.setup()

from tests.matrix.kind import ANSWERS, ANYWHERE, State
from tests.matrix.kinds import KINDS

PAGE = Path(__file__).parent / "how-to" / "backends" / "index.md"

TEXT = """\
# Backends

<!-- Made by `python -m docs.make_features` from the kinds of tests/matrix. -->

A backend accepts one kind of token. Choose by what issues yours:

| your tokens | backend | extra |
|---|---|---|
{choices}

None fits? [Write your own in eighteen lines](write-your-own.md).

## What each can do

Every row is proven by a test for each place where a token may stand, on SQLite and on PostgreSQL.

| backend | stands in | expiry | scopes | queries | `revoke_token` | the sweep sees | by a ticket |
|---|---|---|---|---|---|---|---|
{features}

- **Stands in**: everywhere is {everywhere}.
  Which of them a site reads, `LOCATIONS` says. A ticket is got with the token, and falls with it.
- **Queries** of a batch: handshakes that come together are asked about together, and nothing is
  written.
- **`revoke_token`** ends the token where it lives; or denies it, where it has no row to end.
- **The sweep sees** of an open socket that its token has ended, whoever ended it and however; and
  of all, that the user is inactive or deleted. It asks as few questions as a batch of handshakes.
- **By a ticket** comes no token to ask by. Where none is known by its id, a ticket, and a socket
  that came by one, are told of the user alone.

What they do, and what else closes sockets, is on the page on [revocation](../revocation.md).

## What each answers

✓: with the slug on the left; or with the one in the cell. –: there is no such token of this kind.

| a token that is | answer | {heads} |
|---|---|{rules}|
{answers}

The same holds for a user model with another primary key (UUID) and another `USERNAME_FIELD`.

## Several at once

They are asked in the order of `BACKENDS`. One that does not know a token passes it on; one that
refuses it (expired, revoked, of an inactive user) has the last word. A token that none of them
knows costs one query at most, since each kind has a [shape of its
own](../../decisions/0009-tokens-have-shapes.md).

Two backends may accept the same text. Then the first one decides, and it alone looks after the
socket: put first the one that knows more of the token's end.

| both accept | put first |
|---|---|
| the JWTs of `simplejwt`, by `jwt` or `rest_framework` | `simplejwt`, which reads the blacklist |
| the JWTs of allauth, by `jwt` | `allauth_jwt`, which looks at the session |
| what `oauth2` issued, by `introspection` or `jwt` | `oauth2`, which has the rows |
| the key of a session, by `allauth` and `session` | `allauth`, which sees a session end |

```{{toctree}}
:hidden:

{pages}
write-your-own
```
"""


def page() -> str:
    """The whole page."""
    return TEXT.format(
        choices="\n".join(
            _row(k.title, _link(k), f"`{k.extra}`" if k.extra else "–") for k in KINDS
        ),
        features="\n".join(_features(kind) for kind in KINDS),
        everywhere=", ".join(ANYWHERE),
        heads=" | ".join(_code(kind.name) for kind in KINDS),
        rules="|".join("---" for _ in KINDS),
        answers="\n".join(_answers(state) for state in State),
        pages="\n".join(dict.fromkeys(kind.page for kind in KINDS)),
    )


def _features(kind):
    places = "everywhere" if kind.locations == ANYWHERE else ", ".join(kind.locations)
    return _row(
        _link(kind),
        places,
        "yes" if kind.expires else "none",
        "yes" if kind.has_scopes else "none",
        "its class's, for each token" if kind.is_one_by_one else kind.queries,
        "ends it" if kind.keeps_rows else "denies it",
        _sweep(kind),
        "the same" if kind.is_known_by_id else "its user alone",
    )


def _sweep(kind):
    """What `test_socket_falls_in_the_sweep…` has proven."""
    return "its end" if State.REVOKED in kind.events else "its user alone"


def _answers(state):
    usual = ANSWERS[state]
    cells = [
        "–" if state not in kind.states else _answer(kind.answer(state), usual) for kind in KINDS
    ]
    return _row(state, _code(usual) if usual else "accepted", *cells)


def _answer(answer, usual):
    return "✓" if answer == usual else _code(answer)


def _link(kind):
    return f"[`{kind.name}`]({kind.page}.md)"


def _code(name):
    return f"`{name}`"


def _row(*cells):
    return f"| {' | '.join(map(str, cells))} |"


if __name__ == "__main__":
    PAGE.write_text(page())
