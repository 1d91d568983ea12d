"""MathJax at build time: the right files, checked, and no network when they are there."""

import hashlib
import subprocess
import zipfile

import pytest

from tools import mathjax

INFO = "django_static_mathjax-3.2.2.1.dist-info"
FILES = {
    "mathjax/static/mathjax/es5/tex-mml-chtml.js": "script",
    "mathjax/static/mathjax/es5/output/chtml/fonts/woff-v2/Main.woff": "font",
    "mathjax/static/mathjax/es5/input/tex/extensions/boldsymbol.js": "extension",
    "mathjax/static/mathjax/es5/tex-svg.js": "not wanted",
    "mathjax/static/mathjax/LICENSE": "licence",
    f"{INFO}/METADATA": "Metadata-Version: 2.1\nName: django-static-mathjax\nVersion: 3.2.2.1\n",
    f"{INFO}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    f"{INFO}/RECORD": "",
}


@pytest.fixture
def wheel(tmp_path, monkeypatch):
    """A small wheel of the same name in a folder, which is the only place where pip may look."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    path = folder / "django_static_mathjax-3.2.2.1-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in FILES.items():
            archive.writestr(name, text)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("PIP_NO_CACHE_DIR", "1")
    return path


def test_only_what_pages_need_is_installed_and_once(tmp_path, wheel, monkeypatch):
    monkeypatch.setattr(mathjax, "SHA256", hashlib.sha256(wheel.read_bytes()).hexdigest())
    target = tmp_path / "mathjax"
    assert mathjax.install(target) is True
    assert {str(path.relative_to(target)) for path in target.rglob("*") if path.is_file()} == {
        "VERSION",
        "LICENSE",
        "tex-mml-chtml.js",
        "output/chtml/fonts/woff-v2/Main.woff",
        "input/tex/extensions/boldsymbol.js",
    }
    wheel.unlink()
    assert mathjax.install(target) is False


def test_another_version_is_replaced(tmp_path, wheel, monkeypatch):
    monkeypatch.setattr(mathjax, "SHA256", hashlib.sha256(wheel.read_bytes()).hexdigest())
    target = tmp_path / "mathjax"
    target.mkdir()
    (target / "VERSION").write_text("django-static-mathjax==1.0")
    assert mathjax.install(target) is True


def test_a_changed_wheel_is_refused(tmp_path, wheel):
    target = tmp_path / "mathjax"
    with pytest.raises(subprocess.CalledProcessError):
        mathjax.install(target)
    assert not target.exists()
