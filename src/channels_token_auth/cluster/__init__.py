"""Messages between the nodes of a site, usable from any process, thread or event loop."""
