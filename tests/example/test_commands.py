"""`token_check` and `token_connect` as an operator types them, beside a running server."""

HELLO = '{"command": "Say hello !", "data_string": "from a shell"}'


def type_in(system, *command, stdin):
    """The exit code, and all that a command prints."""
    done = system.manage(*command, typed=stdin)
    return done.returncode, done.stdout, done.stdout + done.stderr


def test_token_is_checked_and_never_printed(system, token):
    code, out, everything = type_in(system, "token_check", stdin=token)
    assert code == 0
    assert "suraj" in out
    assert token not in everything


def test_conversation_by_a_token_is_printed_without_it(system, token):
    code, out, everything = type_in(system, "token_connect", "/", stdin=f"{token}\n{HELLO}\n")
    assert code == 0
    assert '"data_string_bacK": "from a shell"' in out
    assert token not in everything


def test_user_is_injected_and_written_down(system):
    code, out, everything = type_in(system, "token_connect", "/", "--user=suraj", stdin=HELLO)
    assert code == 0
    assert '"data_string_bacK": "from a shell"' in out
    assert "identity_injected operator=" in everything


def test_nobody_is_injected_into_the_server_beside_it(system):
    type_in(system, "token_connect", "/", "--user=suraj", stdin="")
    assert system.request("GET", "/auth/check/").status == 401
