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

Each backend accepts one kind of token. Choose by what issues yours:

| your tokens | backend | extra |
|---|---|---|
{choices}

None fits? [Write your own in eighteen lines](write-your-own.md).

## What each can do

Each row is tested with tokens in every location, and on PostgreSQL where a database matters.

| backend | locations | expiry | scopes | queries | `revoke_token` | the sweep sees |
|---|---|---|---|---|---|---|
{features}

- **Locations**: everywhere means {everywhere}.
  [`LOCATIONS`](../../reference/settings.md#locations) selects those that a site reads. A ticket is
  issued for the token, and is invalid when the token is.
- **Queries** of a batch: handshakes that arrive together are verified together, and
  nothing is written.
- **`revoke_token`** deletes or blacklists the row; a token without a row is put on the denylist.
- **The sweep sees** whether the token of an open socket was revoked, in whatever way, and for all
  backends whether the user is inactive or deleted. It costs as many queries as a batch.

[Revocation](../revocation.md) says what else closes sockets.

## What each answers

✓ means the answer in the second column. A cell with another answer names it. – means that no such
token of this kind exists.

| a token that is | answer | {heads} |
|---|---|{rules}|
{answers}

The same is tested with a user model whose primary key is a UUID, and with another
`USERNAME_FIELD`.

## Several at once

They are tried in the order of `BACKENDS`. If a backend does not know a token, the next one is
tried. If a backend recognises and rejects it (expired, revoked, of an inactive user), later
backends are not tried. An unknown token costs at most one query, because each kind has
a [shape of its own](../../decisions/0009-tokens-have-shapes.md).

If two backends accept the same text, the first one decides, and it alone revalidates the socket.
Put the one first that detects more revocations.

| both accept | put first |
|---|---|
| the JWTs of `simplejwt`, by `jwt` or `rest_framework` | `simplejwt`, which reads the blacklist |
| the JWTs of allauth, by `jwt` | `allauth_jwt`, which reads the session |
| what `oauth2` issued, by `introspection` or `jwt` | `oauth2`, which has the rows |
| the key of a session, by `allauth` and `session` | `allauth`, which detects that a session ended |

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
        "those of its class, for each token" if kind.is_one_by_one else kind.queries,
        "deletes it" if kind.keeps_rows else "denies it",
        _sweep(kind),
    )


def _sweep(kind):
    """Return what a sweep detects of this kind of token."""
    return "revocations" if State.REVOKED in kind.events else "its user only"


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
