"""The guide's own title, introduction, colours and links in the page that web/ is the source of."""

import html
import json
from collections.abc import Callable
from pathlib import Path

from fieldguide.errors import ExportError
from fieldguide.export.bundle import FILE_LIST
from fieldguide.export.packing import PACKED
from fieldguide.export.params import Accent, Link, PageParams
from fieldguide.files import written_whole

TITLES = ("title", "h1")
"""Elements of index.html that hold the title."""
TITLE = '<{tag} data-say="page.title">Pocket field guide</{tag}>'
INTRODUCTION = '<p class="introduction" id="introduction" hidden></p>'
LINKS = '<ul class="links" id="links" hidden></ul>'
SCRIPT = '<script type="module" src="app.js"></script>'
EARLY = '<link rel="preload" as="fetch" crossorigin fetchpriority="{}" href="{}" />'
"""As the page's own `fetch` asks for it, else browsers download it twice."""
FIRST = ("labels.json",)
"""What the species are browsed by while the rest is on its way."""
LARGEST = (f"group*.bin{PACKED}", "worker.js", f"tfjs-backend-wasm-simd.wasm{PACKED}")
SMALL = ("model.json", "preprocessing.json", "calibration.json", "selftest.json")
IF_THERE = ("explain.json", f"familiar.bin{PACKED}", "familiar.json", f"prior.bin{PACKED}", "prior.json")
"""What a first answer waits for, as patterns. The largest first: over HTTP/1.1 six files come at a time."""


def personalise_page(bundle: Path, page: PageParams) -> None:
    """Write what `page` gives into index.html, manifest.webmanifest and style.css of `bundle`; null changes nothing.

    Raises ExportError where web/ has no place for it.
    """
    _rewrite(bundle / "index.html", lambda text: _markup(text, page))
    if page.title is not None or page.accent is not None:
        _rewrite(bundle / "manifest.webmanifest", lambda text: _manifest(text, page))
    if page.accent is not None:
        colours = _colours(page.accent)
        _rewrite(bundle / "style.css", lambda text: text + colours)


def start_downloads_early(bundle: Path) -> None:
    """Have index.html ask for what an answer waits for at once, instead of after the script and bundle.json.

    Raises ExportError if something of it is not in `bundle`.
    """
    # All files are known by the list; it holds the digest of index.html, so it is not here yet.
    early = [EARLY.format("high", FILE_LIST)]
    for pattern in (*FIRST, *LARGEST, *SMALL, *IF_THERE):
        found = sorted(file.name for file in bundle.glob(pattern))
        if not found and pattern not in IF_THERE:
            raise ExportError(f"{bundle} holds no {pattern}; expected it before index.html asks for it")
        early += [EARLY.format("high" if pattern in FIRST else "low", name) for name in found]
    links = "\n    ".join([SCRIPT, *early])
    _rewrite(bundle / "index.html", lambda text: _replace_once(text, SCRIPT, links))


def _markup(text: str, page: PageParams) -> str:
    if page.title is not None:
        for tag in TITLES:
            # Without `data-say`: a title of one's own is the same in all languages.
            named = f"<{tag}>{html.escape(page.title)}</{tag}>"
            text = _replace_once(text, TITLE.format(tag=tag), named)
    if page.introduction is not None:
        shown = INTRODUCTION.replace(" hidden></p>", f">{html.escape(page.introduction)}</p>")
        text = _replace_once(text, INTRODUCTION, shown)
    if page.links:
        text = _replace_once(text, LINKS, LINKS.replace(" hidden></ul>", f">{''.join(map(_item, page.links))}</ul>"))
    return text


def _item(link: Link) -> str:
    return f'<li><a href="{html.escape(link.url)}" rel="noreferrer">{html.escape(link.text)}</a></li>'


def _manifest(text: str, page: PageParams) -> str:
    manifest = json.loads(text)
    if page.title is not None:
        manifest |= {"name": page.title, "short_name": page.title}
    if page.accent is not None:
        manifest["theme_color"] = page.accent.light
    return json.dumps(manifest, ensure_ascii=False, indent=2) + "\n"


def _colours(accent: Accent) -> str:
    return (
        f"\n:root {{\n  --leaf: {accent.light};\n}}\n"
        f"\n@media (prefers-color-scheme: dark) {{\n  :root {{\n    --leaf: {accent.dark};\n  }}\n}}\n"
    )


def _replace_once(text: str, old: str, new: str) -> str:
    if text.count(old) != 1:
        raise ExportError(f"web/index.html holds {old} {text.count(old)} times; expected once")
    return text.replace(old, new)


def _rewrite(file: Path, change: Callable[[str], str]) -> None:
    changed = change(file.read_text(encoding="utf-8"))
    with written_whole(file) as temporary:
        temporary.write_text(changed, encoding="utf-8")
