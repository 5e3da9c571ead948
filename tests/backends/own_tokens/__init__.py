"""An app with a token model of its own, as a site may have one."""
