"""Nightly: hash what has landed, tidy the database, rebuild the index, account for everything, and say what happened.

Every step may be repeated: encoding skips what is committed, compaction changes no row, the index is replaced whole.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from prefect import flow, task

from pipelines.night_artifact import night_artifact
from pipelines.project import PARAMS, RUNS, allowed_place, allowed_registry, enter_project
from pipelines.registry_steps import log, notice, register_what_waits
from pipelines.retries import DELAYS_S, may_pass
from spikinghash.codes.database import CodeDatabase
from spikinghash.codes.discover import discover
from spikinghash.codes.encode_recordings import encode_recordings
from spikinghash.codes.encode_report import EncodeReport
from spikinghash.codes.encoder import Encoder
from spikinghash.codes.fsck import fsck
from spikinghash.codes.landing import fetch_landing, landing_folder
from spikinghash.codes.settle import settle
from spikinghash.codes.table_size import TableSize, table_size
from spikinghash.errors import SpikinghashError
from spikinghash.events.doubts import Doubts
from spikinghash.events.isolate import IsolatedDecoder
from spikinghash.index.flat import build_index
from spikinghash.index.index_folder import index_folder
from spikinghash.kept_model import open_or_kept
from spikinghash.nightly.shadow import hash_shadow
from spikinghash.nightly.write_night import Done, write_night
from spikinghash.progress import progress_bar
from spikinghash.project_params import load_night
from spikinghash.promote_with_codes import ARCHIVE_LOCK
from spikinghash.redact import redact
from spikinghash.remote_store import is_address
from spikinghash.report.verdict import act_line
from spikinghash.run_lock import run_lock
from spikinghash.training.bit_balance import trained_ones
from spikinghash.visible import visible

#: Data files of the codes table beyond which a night ends with compaction.
COMPACT_FROM = 50
#: Seconds that a night waits for a promotion that changes the champion, or for another night.
_WAIT_S = 3600.0


@task(retries=3, retry_delay_seconds=DELAYS_S, retry_condition_fn=may_pass)
def fetch(landing: str, folder: str) -> dict[str, Any]:
    """Bring what is new at an object-store address into a folder."""
    return fetch_landing(landing, Path(folder)).to_json()


@task(retries=3, retry_delay_seconds=DELAYS_S, retry_condition_fn=may_pass)
def encode(files: list[str], db: str, model: str) -> tuple[dict[str, Any], str, list[float] | None]:
    """Hash recordings; returns the report, the model's digest and its share of ones per bit in training."""
    loaded, away = open_or_kept(model, RUNS / "kept")
    if away is not None:
        print(f"the registry does not answer; hashed with the champion of the last night: {visible(redact(away))}")  # noqa: T201
    encoder = Encoder(loaded)
    report = _hash(files, db, encoder)
    trained = trained_ones(encoder.model.card, encoder.model.spec.bits)
    return report.to_json(), encoder.model.digest, None if trained is None else trained.tolist()


@task
def encode_shadow(files: list[str], db: str, shadow: str, digest: str) -> dict[str, Any]:
    """Hash the same recordings with a second model; what goes wrong is said and fails nothing."""
    return hash_shadow(shadow, digest, lambda encoder: _hash(files, db, encoder)).to_json()


def _hash(files: list[str], db: str, encoder: Encoder) -> EncodeReport:
    database = CodeDatabase.create_or_open(db)
    doubts = Doubts()
    with IsolatedDecoder() as decoder, progress_bar("encode") as progress:
        paths = [Path(file) for file in files]
        report = encode_recordings(paths, encoder, database, decode=doubts.watch(decoder.stream), progress=progress)
    if (line := doubts.line()) is not None:
        print(visible(line))  # noqa: T201  becomes a Prefect log line
    return report


@task(retries=3, retry_delay_seconds=DELAYS_S, retry_condition_fn=may_pass)
def measure(db: str) -> dict[str, int]:
    """The size of the code table."""
    return table_size(db).to_json()


@task(retries=3, retry_delay_seconds=DELAYS_S, retry_condition_fn=may_pass)
def tidy(db: str) -> bool:
    """Join small data files when there are many; whether it did."""
    database = CodeDatabase.open(db)
    many = database.file_count() >= COMPACT_FROM
    if many:
        database.compact()
    return many


@task(retries=3, retry_delay_seconds=DELAYS_S, retry_condition_fn=may_pass)
def index(db: str, digest: str) -> int:
    """Build the search index of one model anew; its rows, 0 where nothing is hashed yet, and beside an object store."""
    database, folder = CodeDatabase.open(db), index_folder(db, digest)
    if folder is None or digest not in database.models():
        return 0
    return build_index(database.load(digest), folder).rows


@task(retries=3, retry_delay_seconds=DELAYS_S, retry_condition_fn=may_pass)
def account(files: list[str], db: str, digest: str) -> dict[str, Any]:
    """`fsck` of the model's rows and of the files that this night began with."""
    return fsck(CodeDatabase.open(db), digest, [Path(file) for file in files]).to_json()


@task(retries=3, retry_delay_seconds=DELAYS_S, retry_condition_fn=may_pass)
def write_report(out: str, done: Done) -> str:
    """The report as JSON and Markdown in the folder `out`; the path of the JSON."""
    return str(write_night(Path(out), done, load_night(PARAMS)))


@flow(name="nightly", log_prints=True)
def nightly(
    landing: str = "data/landing",
    db: str = "data/archive",
    model: str = "models:/spikinghash@champion",
    reports: str = "reports/nightly",
    tracking: str | None = None,
    cache: str = "data/landing-cache",
    shadow: str | None = None,
) -> dict[str, Any]:
    """One night; `tracking` is an MLflow URI, None logs nowhere. `SpikinghashError` if the accounts do not add up.

    `landing` is a folder, made if it is not there, or an object-store address whose recordings are first brought into
    a folder of `cache`. A served flow works inside its project, see `pipelines.project`. Every model has an index of
    its own, `<db>/index/<digest>`: after a change of champion the old one stays searchable. With `shadow` what has
    landed is hashed with that model too, and the report compares what both find.
    """
    enter_project()
    _check_places({"landing": landing, "db": db, "reports": reports, "cache": cache}, model, shadow)
    allowed_registry("tracking", tracking)
    start = datetime.now(UTC)
    register_what_waits()
    moved = notice(model)
    landed = None
    if is_address(landing):
        folder = str(landing_folder(landing, Path(cache)))
        landed, landing = fetch(landing, folder), folder
    Path(landing).mkdir(parents=True, exist_ok=True)
    # the account is of these files: what arrives while they are hashed is for the next night
    ready, growing = settle(discover([Path(landing)], leave_out=[db]))
    files = [str(path) for path in ready]
    if growing:
        print(f"{len(growing)} files are still being written, the first {visible(str(growing[0]))}: for the next night")  # noqa: T201
    with run_lock(RUNS, ARCHIVE_LOCK, _WAIT_S, run="nightly"):
        before = measure(db)
        encoded, digest, trained = encode(files, db, model)
        beside = None if shadow is None else encode_shadow(files, db, shadow, digest)
        compacted = tidy(db)
        rows = index(db, digest)
        accounts = account(files, db, digest)
    done = Done(
        db=db, digest=digest, start=start, encode=encoded, fsck=accounts, before=TableSize(**before), trained=trained,
        landed=landed, shadow=beside, moved=moved, growing=[str(path) for path in growing],
    )  # fmt: skip
    path = write_report(reports, done)
    night_artifact(Path(path).with_suffix(".md"))
    if tracking is not None:
        log(tracking, reports)
    print(night_text_line(encoded, accounts, compacted, rows))  # noqa: T201  becomes a Prefect log line
    report = json.loads(Path(path).read_bytes())
    print(act_line(report))  # noqa: T201  the last line, for whoever reads only one
    if not accounts["ok"]:
        raise SpikinghashError(f"the database is not in order, see {path}: {'; '.join(accounts['problems'][:3])}")
    return {
        "landing": landed, "encode": encoded, "fsck": accounts, "compacted": compacted, "index_rows": rows,
        "shadow": report["shadow"], "act": report["act"], "report": path,
    }  # fmt: skip


def _check_places(places: dict[str, str], model: str, shadow: str | None) -> None:
    """`ConfigError` for a place that this flow run may not name."""
    for name, place in places.items():
        allowed_place(name, place)
    for name, ref in (("model", model), ("shadow", shadow)):
        if ref is not None and not ref.startswith("models:/"):
            allowed_place(name, ref)


def night_text_line(encoded: dict[str, Any], accounts: dict[str, Any], compacted: bool, rows: int) -> str:
    """One line for the flow's log."""
    return (
        f"{encoded['committed']} hashed, {encoded['skipped']} known, {encoded['quarantined']} refused; index of {rows} "
        f"codes; {'compacted; ' if compacted else ''}accounts {'ok' if accounts['ok'] else 'NOT ok'}"
    )
