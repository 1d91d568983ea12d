"""What the book's pages need beside Jupyter Book: the map of the course and the repository's address in code.

`{course-map}` draws `course.yml`, and links a room when its chapter is in the table of contents, so that the map
cannot promise a room that is not there. `REPOSITORY_URL` in a page becomes the address in `_config.yml`, `COLAB_URL`
that of the repository in Colab.
"""

from pathlib import Path
from typing import Any

import yaml
from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util.docutils import SphinxDirective
from sphinx_design.shared import create_component

COURSE = Path(__file__).parents[1] / "course.yml"


class CourseMap(SphinxDirective):
    """All parts and rooms of the course, one card each."""

    def run(self) -> list[nodes.Node]:
        """The map as document nodes; the links in it are checked like any other."""
        self.env.note_dependency(str(COURSE))
        parts = yaml.safe_load(COURSE.read_text(encoding="utf8"))["parts"]
        return [create_component("course-map", ["course-map"], children=[self.part(part) for part in parts])]

    def part(self, part: dict[str, Any]) -> nodes.Node:
        heading = nodes.paragraph("", "", nodes.strong("", part["title"]), classes=["part-title"])
        about = nodes.paragraph("", part["about"], classes=["part-about"])
        rooms = nodes.bullet_list("", *(self.room(room) for room in part["rooms"]), classes=["rooms"])
        title = create_component("part-head", ["part-head"], children=[heading, about])
        return create_component("part", ["part"], children=[title, rooms])

    def room(self, room: dict[str, str]) -> nodes.Node:
        built = f"book/{room['name']}" in self.env.found_docs
        name = self.link(f"book/{room['name']}", room["title"]) if built else nodes.inline("", room["title"])
        title = nodes.paragraph("", "", name, classes=["room-title"])
        about = nodes.paragraph("", room["about"], classes=["room-about"])
        return nodes.list_item("", title, about, self.doors(room, built), classes=["built" if built else "coming"])

    def doors(self, room: dict[str, str], built: bool) -> nodes.Node:
        if not built:
            return nodes.paragraph("", "coming", classes=["room-doors"])
        read, run = self.link(f"book/{room['name']}", "Read"), self.link(f"notebooks/{room['name']}", "Run")
        return nodes.paragraph("", "", read, nodes.Text(" "), run, classes=["room-doors"])

    def link(self, page: str, text: str) -> nodes.Node:
        where = {"refdomain": "std", "reftype": "doc", "reftarget": f"/{page}", "refdoc": self.env.docname}
        return addnodes.pending_xref("", nodes.inline("", text), refexplicit=True, refwarn=True, **where)


def write_address(app: Sphinx, source: list[str]) -> None:
    options = app.config.html_theme_options
    address = options["repository_url"]
    colab = address.replace("https://github.com", options["launch_buttons"]["colab_url"] + "/github") + "/blob/main"
    source[0] = source[0].replace("REPOSITORY_URL", address).replace("COLAB_URL", colab)


def on_read(app: Sphinx, docname: str, source: list[str]) -> None:
    # A notebook is JSON whose Colab cell holds the real address already; nothing to do there.
    write_address(app, source)


def on_include(app: Sphinx, path: Path, parent: str, source: list[str]) -> None:
    write_address(app, source)


def drop_thebe(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None) -> None:
    # Its button is off, yet every page would name a content network and log a script error.
    scripts = context.get("script_files", [])
    context["script_files"] = [script for script in scripts if "thebe" not in repr(vars(script)).lower()]


def check_rooms(app: Sphinx, env: BuildEnvironment) -> None:
    """Refuse a chapter in the table of contents under a name that the course does not have."""
    parts = yaml.safe_load(COURSE.read_text(encoding="utf8"))["parts"]
    known = {room["name"] for part in parts for room in part["rooms"]}
    labs = {page.removeprefix("notebooks/") for page in env.found_docs if page.startswith("notebooks/")}
    if labs - known:
        raise ValueError(f"labs that are not rooms of {COURSE.name}: {sorted(labs - known)}")


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx."""
    app.add_directive("course-map", CourseMap)
    app.connect("source-read", on_read)
    app.connect("include-read", on_include)
    app.connect("env-check-consistency", check_rooms)
    app.connect("html-page-context", drop_thebe, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
