"""Run as a module: a million people, each with a token of DRF's and one of knox's."""

import django

django.setup()

from django.db import connection  # noqa: E402 - needs the line above, as does the other

from benchmarks.people import MILLION, PEOPLE  # noqa: E402

# As `people` makes the tokens, in PostgreSQL's own words, and with no look at what refers to what:
# row by row it would take minutes.
FILL = """
SET session_replication_role = replica;
CREATE EXTENSION IF NOT EXISTS pgcrypto;
INSERT INTO auth_user (id, username, password, first_name, last_name, email, is_superuser, is_staff,
                       is_active, date_joined)
    SELECT n + 1, 'person ' || n, '', '', '', '', false, false, true, now()
    FROM generate_series({people}, {million} - 1) AS n;
INSERT INTO authtoken_token (key, user_id, created)
    SELECT encode(digest('good ' || n, 'sha1'), 'hex'), n + 1, now()
    FROM generate_series({people}, {million} - 1) AS n;
INSERT INTO knox_authtoken (digest, token_key, user_id, created, expiry)
    SELECT encode(sha512(token::bytea), 'hex'), left(token, 15), n + 1, now(), now() + '1 day'
    FROM generate_series(0, {million} - 1) AS n,
         LATERAL (SELECT encode(sha256(('good ' || n)::bytea), 'hex') AS token) AS tokens;
"""

with connection.cursor() as cursor:
    # As a server has that holds as much, from its next start on. The default is 128 MB.
    cursor.execute("ALTER SYSTEM SET shared_buffers = '1GB'")
    cursor.execute(FILL.format(people=PEOPLE, million=MILLION))
    cursor.execute("VACUUM ANALYZE")
