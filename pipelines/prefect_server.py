"""The Prefect server on loopback: asks for a password, and answers to its own name alone."""

from __future__ import annotations

import os

import uvicorn
from prefect.server.api.server import create_app
from starlette.middleware.trustedhost import TrustedHostMiddleware


def main() -> None:
    """Serve at `SPIKINGHASH_PREFECT_BIND`, host:port; all else is in Prefect's own settings."""
    host, port = os.environ["SPIKINGHASH_PREFECT_BIND"].rsplit(":", 1)
    # a page that gives its own name the address of this machine (DNS rebinding) shows another Host
    app = TrustedHostMiddleware(create_app(), allowed_hosts=[host, "localhost"], www_redirect=False)
    uvicorn.run(app, host=host, port=int(port), log_level="warning")


if __name__ == "__main__":
    main()
