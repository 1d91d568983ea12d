"""Interactive figures: an ES module and its data inside the HTML output of one cell.

The browser computes the figure from data in the page, so it answers in the static book (over http and from a file), in
JupyterLab and in Colab, with no kernel, no widget manager and no outside request. One inline module script carries both
the code and the data: a host that moves scripts apart from their neighbours cannot part them. Readers without scripts
see the fallback that the script would replace.
"""

from __future__ import annotations

import html
import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any, ClassVar

# What an embedded module must end with; anywidget takes the same file unchanged.
EXPORT = "export default { render };"

# The rules that all figures share; each adds its own.
_STYLE = Path(__file__).with_name("base.css")

# Every unmounted element of this figure is mounted by the first script that runs, so one page may show it twice. A host
# that runs scripts before the output is in the page is waited for.
_MOUNT = """
{{
  const data = {data};
  const mount = () => {{
    const places = document.querySelectorAll('[data-figure="{name}"]');
    for (const el of places) {{
      if (el.dataset.mounted) continue;
      el.dataset.mounted = "true";
      render({{ model: {{ get: (name) => data[name] }}, el }});
    }}
    return places.length > 0;
  }};
  const watch = (_, observer) => mount() && observer.disconnect();
  if (!mount()) new MutationObserver(watch).observe(document, {{ childList: true, subtree: true }});
}}
"""


def embed(module: str, data: Mapping[str, Any], *, fallback: str, style: str = "", label: str) -> str:
    """Return the HTML of a figure: its style, the element with the fallback, and one module script.

    `module` is the source of an ES module without imports that ends with `EXPORT` and defines
    `render({model, el})`; `model.get(name)` reads `data`, any JSON values. The same input gives the same bytes.
    Raises ValueError for a module without that last line, a source that would close its own tag, or a lone surrogate.
    """
    if not module.rstrip().endswith(EXPORT):
        raise ValueError(f"the module must end with {EXPORT!r}, not with {module.rstrip()[-40:]!r}")
    for source, end in ((module, "</script"), (module, "<!--"), (style, "</style")):
        if end in source.lower():
            raise ValueError(f"{end!r} in the source of a figure would end its element")
    literal = _script_json(data)
    name = sha256("\0".join((module, style, fallback, label, literal)).encode()).hexdigest()[:12]
    return (
        f"<style>{style}</style>\n"
        f'<div class="lm-figure" data-figure="{name}" data-lm-suppress-shortcuts="true" '
        f'role="group" aria-label="{html.escape(label)}">\n{fallback}\n</div>\n'
        f'<script type="module">\n{module}{_MOUNT.format(data=literal, name=name)}</script>\n'
    )


def _script_json(data: Mapping[str, Any]) -> str:
    """Write data as a JavaScript literal in which no tag or comment can begin."""
    return json.dumps(data, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")


class Figure(ABC):
    """A figure that a notebook shows: `module` names the ES module, its style sheet lies beside it as `.css`."""

    module: ClassVar[Path]
    label: ClassVar[str]

    @abstractmethod
    def data(self) -> dict[str, Any]:
        """Return what `model.get(name)` reads in the browser."""

    @abstractmethod
    def fallback(self) -> str:
        """Return the HTML for readers without scripts."""

    def _repr_html_(self) -> str:
        return embed(
            self.module.read_text("utf-8"),
            self.data(),
            fallback=self.fallback(),
            style="".join(path.read_text("utf-8") for path in (_STYLE, self.module.with_suffix(".css"))),
            label=self.label,
        )

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        return {"text/plain": repr(self), "text/html": self._repr_html_()}
