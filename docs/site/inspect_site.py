"""What a built site must hold: whole links, a text for every picture, pages that are not heavy."""

from __future__ import annotations

from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

HEAVIEST = 2 * 2**20  # bytes of a page with its pictures, animations apart
ANIMATIONS = {".gif", ".svg"}


class Page(HTMLParser):
    """The links, names and pictures of a page."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path, self.links, self.names, self.pictures = path, [], set(), []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list) -> None:
        """Take down what a tag points to, and what points to it."""
        given = dict(attrs)
        self.names |= {given[key] for key in ("id", "name") if given.get(key)}
        if tag in ("a", "link") and given.get("href"):
            self.links.append(given["href"])
        if tag in ("img", "script", "source") and given.get("src"):
            self.links.append(given["src"])
        if tag == "img":
            self.pictures.append((given.get("src", ""), given.get("alt", "")))


def faults(html: Path) -> Iterator[str]:
    """Yield a sentence for each thing that is wrong with a site."""
    found = [p.resolve() for p in sorted(html.rglob("*.html")) if "_static" not in p.parts]
    pages = {path: Page(path) for path in found}
    for path, page in pages.items():
        name = path.relative_to(html.resolve())
        for link in page.links:
            if problem := broken(link, path, pages):
                yield f"{name}: {problem}"
        for picture, text in page.pictures:
            if not text.strip() or text.strip() == picture:
                yield f"{name}: the picture {picture[:80]} has no text for those who cannot see it"
        if weight(page) > HEAVIEST:
            yield f"{name}: {weight(page) / 2**20:.1f} MiB with its pictures; at most 2"


def broken(link: str, path: Path, pages: dict[Path, Page]) -> str:
    """Return what is wrong with a link inside the site, "" if nothing is."""
    parts = urlsplit(link)
    if parts.scheme or parts.netloc or link == "#":
        return ""
    target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
    if not target.exists():
        return f"the link {link} leads nowhere"
    if parts.fragment and target in pages and unquote(parts.fragment) not in pages[target].names:
        return f"the link {link} leads to no place on that page"
    return ""


def weight(page: Page) -> int:
    """Return the bytes of a page and its pictures."""
    files = {(page.path.parent / unquote(urlsplit(src).path)).resolve() for src, _ in page.pictures}
    pictures = [f for f in files if f.is_file() and f.suffix not in ANIMATIONS]
    return sum(f.stat().st_size for f in [page.path, *pictures])
