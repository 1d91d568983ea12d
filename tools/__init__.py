"""Developers' scripts, run from the root as `python -m tools.NAME`; not part of the wheel."""
