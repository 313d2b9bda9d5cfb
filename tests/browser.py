"""A real browser for pages: Debian's Chromium, driven by Playwright."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

# Nothing of the browser's own goes to the network.
_QUIET = ["--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync"]


def missing() -> str:
    """Why there can be no browser here; empty where there can be one."""
    try:
        import playwright  # noqa: F401
    except ImportError:
        return "playwright is not installed: it is in the group `test`"
    return "" if _program() else "chromium is not on the path: install Debian's package `chromium`"


def _program() -> str | None:
    return shutil.which("chromium") or shutil.which("chromium-browser")


@dataclass
class Seen:
    """A page in a window.

    Attributes:
        page: Playwright's.
        errors: What its console complained of.
        fetched: Addresses that it asked for, beside its own.
    """

    page: Any
    errors: list[str] = field(default_factory=list)
    fetched: list[str] = field(default_factory=list)

    def overflow(self) -> int:
        """Pixels by which the page is wider than its window."""
        wide: int = self.page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        return wide

    def empty(self, selector: str) -> list[str]:
        """Elements of that kind that are shown without an area, by their beginning."""
        found: list[str] = self.page.evaluate(
            """selector => [...document.querySelectorAll(selector)].filter(element => {
                const box = element.getBoundingClientRect();
                return element.checkVisibility() && (box.width < 2 || box.height < 2);
            }).map(element => element.outerHTML.slice(0, 80))""",
            selector,
        )
        return found


@contextlib.contextmanager
def opened(path: Path, width: int = 1280, height: int = 900) -> Iterator[Seen]:
    """A file in a window of that size."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        # Chromium's sandbox needs rights that containers and root do not have; the pages are our own.
        browser = driver.chromium.launch(
            executable_path=_program(), args=[*_QUIET, "--no-sandbox", "--disable-dev-shm-usage"]
        )
        try:
            seen = Seen(browser.new_page(viewport={"width": width, "height": height}))
            address = path.resolve().as_uri()
            seen.page.on("console", lambda m: seen.errors.append(m.text) if m.type == "error" else None)
            seen.page.on("pageerror", lambda error: seen.errors.append(str(error)))
            seen.page.on(
                "request",
                lambda request: (
                    seen.fetched.append(request.url)
                    if not request.url.startswith((address, "data:"))
                    else None
                ),
            )
            seen.page.goto(address, wait_until="load")
            yield seen
        finally:
            browser.close()
