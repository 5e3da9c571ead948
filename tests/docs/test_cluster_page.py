"""The page on several nodes: what it says of nginx is what the tests run."""

from channels.layers import channel_layers

from tests.docs.pages import snippets
from tests.nginx import CONFIGURATION

# What is a site's own.
ELSEWHERE = ("server 10.0.0.", "listen ")


def test_configuration_of_nginx_is_the_one_that_is_tested():
    (page,) = snippets("docs/how-to/deployment/several-nodes.md", "nginx")
    tested = [line.strip() for line in CONFIGURATION.format(servers="", port=1).splitlines()]
    lines = [line.strip() for line in page.splitlines()]
    assert [line for line in lines if line not in tested and not line.startswith(ELSEWHERE)] == []


def test_settings_of_the_layer_are_understood(settings):
    (page,) = snippets("docs/how-to/deployment/several-nodes.md", "python")
    names = {}
    exec(page, names)
    settings.CHANNEL_LAYERS = names["CHANNEL_LAYERS"]
    assert channel_layers["default"].group_expiry == 300
