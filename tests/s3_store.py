"""An S3 store on loopback for tests: moto's server."""

import logging
from contextlib import contextmanager

import pytest


@contextmanager
def s3_store(bucket):
    """Yield the settings of a store that has one bucket, and a client for it."""
    moto = pytest.importorskip("moto.server", reason="moto is not installed", exc_type=ImportError)
    boto3 = pytest.importorskip("boto3", reason="boto3 is not installed")
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = moto.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    settings = endpoint(*server.get_host_and_port())
    client = boto3.client(
        "s3", endpoint_url=settings["AWS_ENDPOINT_URL"], region_name="us-east-1",
        aws_access_key_id="test", aws_secret_access_key="test",
    )  # fmt: skip
    client.create_bucket(Bucket=bucket)
    yield settings, client
    server.stop()


def endpoint(host, port):
    return {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}", "AWS_ALLOW_HTTP": "true", "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
    }  # fmt: skip
