"""The built book and the browser."""

from tests.browser import *  # noqa: F403
