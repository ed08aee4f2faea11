"""Addresses are shown without passwords."""

import pytest

from spikinghash.redact import redact


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("s3://user:pass@bucket/x", "s3://***@bucket/x"),
        ("https://user:p@ss@host:5000/a?b=c", "https://***@host:5000/a?b=c"),
        ("postgresql+psycopg://u:p@db/mlflow", "postgresql+psycopg://***@db/mlflow"),
        ("https://token@host", "https://***@host"),
        ("GET http://u:p@h/x?a=1 failed, http://u:p@h2", "GET http://***@h/x?a=1 failed, http://***@h2"),
        ("s3://b/x?secret_key=abc&access_key=def&region=eu", "s3://b/x?secret_key=***&access_key=***&region=eu"),
        (
            "https://h/x?X-Amz-Signature=abc&X-Amz-Credential=d/e",
            "https://h/x?X-Amz-Signature=***&X-Amz-Credential=***",
        ),
        ("s3://bucket/mail@host/x", "s3://bucket/mail@host/x"),
        ("/data/a@b", "/data/a@b"),
        ("", ""),
    ],
)
def test_only_secrets_are_left_out(text, shown):
    assert redact(text) == shown
