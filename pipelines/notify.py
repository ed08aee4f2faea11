"""Failed flow runs are told to a webhook, by an automation of Prefect's own."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from typing import cast

from prefect.automations import Automation
from prefect.blocks.webhook import Webhook
from prefect.events.actions import CallWebhook
from prefect.events.schemas.automations import EventTrigger, Posture
from pydantic import SecretStr

#: Names the block and the automation; whoever wants other messages changes them in Prefect's page.
NAME = "spikinghash-failures"
#: Where the message goes; an address may hold a secret, so it is in the environment and not in params.yaml.
WEBHOOK = "SPIKINGHASH_WEBHOOK"
_FAILED = {"prefect.flow-run.Failed", "prefect.flow-run.Crashed"}
_TEXT = (
    '{"text": {{ (flow.name ~ " (" ~ flow_run.name ~ ") " ~ flow_run.state.name ~ ": " ~ flow_run.state.message)'
    " | tojson }}}"
)


def tell_failures(address: str) -> None:
    """Have the server POST `{"text": ...}` to an address when a flow run fails or crashes; an automation of that name
    that is there is replaced.
    """
    hook = Webhook(url=SecretStr(address), headers={"Content-Type": "application/json"})  # type: ignore[arg-type]
    block = hook.save(NAME, overwrite=True)
    with suppress(ValueError):  # none is there yet
        cast("Automation", Automation.read(name=NAME)).delete()
    trigger = EventTrigger(
        expect=_FAILED, match={"prefect.resource.id": "prefect.flow-run.*"}, posture=Posture.Reactive,
        threshold=1, within=timedelta(0),
    )  # fmt: skip
    Automation(
        name=NAME, trigger=trigger, actions=[CallWebhook(block_document_id=cast("object", block), payload=_TEXT)],  # type: ignore[arg-type]
    ).create()  # fmt: skip
