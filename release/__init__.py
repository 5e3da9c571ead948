"""Build, check and describe a release. RELEASING.md says in which order."""
