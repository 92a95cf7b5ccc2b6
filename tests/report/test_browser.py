"""The pages in a real browser: no error, no request to anywhere, nothing sticking out, and usable by everybody.

Needs Chromium and playwright; the check of accessibility needs axe-core, too: `AXE_CORE` names its axe.min.js.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from orderquake.sim.report.page import write_report
from orderquake.sim.report.summary import write_summary
from tests.report.made_up import made_up_run

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--no-first-run",
)  # fmt: skip
DESK, PHONE = (1280, 900), (360, 780)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if CHROMIUM is None:
        pytest.skip("there is no chromium on this machine (Debian: apt-get install chromium)")
    with playwright.sync_playwright() as running:
        chromium = running.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    runs = [made_up_run(60, seed=seed, broken=seed == 3) for seed in range(1, 9)]
    return [
        write_report(made_up_run(300), tmp_path_factory.mktemp("valid")),
        write_report(made_up_run(300, broken=True), tmp_path_factory.mktemp("broken")),
        write_summary(runs, tmp_path_factory.mktemp("many")),
    ]


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_a_page_opens_without_an_error_or_a_request_and_fits_the_screen(
    browser: Any, pages: list[Path], size: tuple[int, int]
) -> None:
    for path in pages:
        context = browser.new_context(viewport={"width": size[0], "height": size[1]}, offline=True)
        page = context.new_page()
        errors: list[str] = []
        requests: list[str] = []
        page.on("pageerror", lambda error, errors=errors: errors.append(str(error)))
        page.on("console", lambda said, errors=errors: errors.append(said.text))
        page.on("request", lambda request, requests=requests: requests.append(request.url))
        page.goto(path.as_uri())
        assert errors == []
        assert [url for url in requests if not url.startswith("data:")] == [path.as_uri()]
        assert page.evaluate("document.documentElement.scrollWidth") <= size[0]
        shown = page.locator("figure svg:visible")
        assert shown.count() == page.locator("figure").count() > 0
        context.close()


@pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
def test_everybody_can_use_a_page(browser: Any, pages: list[Path], size: tuple[int, int]) -> None:
    axe = Path(os.environ.get("AXE_CORE", "axe.min.js"))
    if not axe.is_file():
        pytest.skip("axe-core is not here (npm install axe-core, then AXE_CORE=…/axe.min.js)")
    for path in pages:
        context = browser.new_context(viewport={"width": size[0], "height": size[1]}, offline=True, bypass_csp=True)
        page = context.new_page()
        page.goto(path.as_uri())
        page.add_script_tag(content=axe.read_text(encoding="utf-8"))
        found = page.evaluate("axe.run()")
        context.close()
        assert [(broken["id"], broken["nodes"][0]["html"]) for broken in found["violations"]] == []
