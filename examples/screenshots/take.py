"""`make screenshots`: pictures of the pages that a reviewer sees, out of a project made for them, to docs/pictures."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from browser import PROGRAMS, Browser, find_program
from project import make_project
from service import USER, Service, hash_a_night, serving

ROOT = Path(__file__).resolve().parents[2]
PICTURES = ROOT / "docs/pictures"
#: MLflow opens a chat beside its page; what closes it.
_ASSISTANT = '[data-component-id="mlflow.assistant.chat_panel.close"]'


def main() -> None:
    """Take all of them; one clear line where something is missing."""
    program = find_program()
    if program is None:
        sys.exit(f"screenshots: no Chromium in PATH (one of {', '.join(PROGRAMS)}); install one, then run this again")
    if not (ROOT / "data/models/default/model.json").is_file():
        sys.exit("screenshots: there is no model in data/models/default; run `make repro` first")
    with tempfile.TemporaryDirectory(prefix="screenshots-project-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        make_project(ROOT, folder)
        with Browser(program) as browser:
            take_pages(browser, folder / "reports")
            with serving(folder) as service:
                hash_a_night(service)
                take_servers(browser, service)
    print(f"pictures: {PICTURES}")


def take_pages(browser: Browser, reports: Path) -> None:
    """The two pages that are files."""
    browser.look((reports / "report.html").as_uri(), "retrieval report")
    browser.save(PICTURES / "report.png")
    browser.look((reports / "review.html").as_uri(), "review of a model", height=1300)
    browser.save(PICTURES / "review.png")


def take_servers(browser: Browser, service: Service) -> None:
    """A version in MLflow's registry, Prefect's deployments, and what the night left there."""
    browser.sign_in(USER, service.passwords["mlflow"])
    browser.look(f"{service.mlflow}/#/models/spikinghash/versions/2", "Version 2", height=1300)
    browser.click(_ASSISTANT)
    browser.save(PICTURES / "registry.png")
    browser.sign_in(USER, service.passwords["prefect"])
    browser.look(f"{service.prefect}/deployments", "nightly")
    browser.save(PICTURES / "deployments.png")
    found = service.ask("/artifacts/filter", {"artifacts": {"type": {"any_": ["markdown"]}}, "limit": 1})
    if found:
        browser.look(f"{service.prefect}/artifacts/artifact/{found[0]['id']}", "accounts", height=1300)
        browser.save(PICTURES / "night.png")
    else:
        print("screenshots: the night left no artifact, so there is no picture of it", file=sys.stderr)


if __name__ == "__main__":
    main()
