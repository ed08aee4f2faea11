"""A small sample store and the files that a report is made from, as the stages would write them."""

import csv
import json

import numpy as np
from small_store import event_row, event_spec

from spikinghash.data.parquet_writer import ParquetWriter
from spikinghash.frames.frame_meta import FrameMeta

LABELS = ["circle", "cross", "square"]
QUERIES, RESULTS = 9, 6


def write_frames(folder, labels=LABELS, side=16, steps=4):
    meta = FrameMeta(steps=steps, height=side, width=side, dtype="uint8", config={"binning": "recording-span"})
    rng = np.random.default_rng(5)
    with ParquetWriter(folder, event_spec(meta)) as writer:
        for number in range(18):
            counts = np.zeros(meta.shape, dtype=np.uint8)
            for step in range(steps):
                left = 2 + step + number % 3
                counts[step, 1, 4:9, left : left + 2] = rng.integers(1, 6, (5, 2))
                counts[step, 0, 4:9, left + 3 : left + 5] = rng.integers(1, 6, (5, 2))
            split = "test" if number < QUERIES else "train"
            row = event_row(clip_id(number), labels[number % len(labels)], split, int(counts.sum()))
            writer.add(row, {"events": counts})
    (folder / "ledger.json").write_text(json.dumps(ledger()))
    return folder


def clip_id(number):
    return f"r{number}.bs2@0-999"


def ledger():
    refused = {"path": "bad.bs2", "sha256": None, "reason": "truncated", "offset": 12, "message": "ends early"}
    return {
        "found": 19,
        "accepted": 18,
        "clips": 18,
        "events_in": 1010,
        "framed": 1000,
        "dropped": {"saturated": 10},
        "splits": {"train": 9, "test": 9},
        "reasons": {"truncated": 1},
        "refused": [refused | {"reader": "auto"}],
    }


def metrics():
    said = {"queries": 9, "queries_averaged": 9, "database": 9, "bits": 8, "empty": "zero"}
    expected = said | {"k": "all", "denominator": "R, relevant items in the database", "ties": "expected over all"}
    by_id = said | {"k": 50, "ties": "by clip id"}
    return {
        "task": {
            "queries": 9,
            "database": 9,
            "bits": 8,
            "classes": LABELS,
            "query_split": "test",
            "database_splits": ["train"],
            "seed": 7,
            "model_digest": "ab" * 32,
        },
        "metrics": {
            "map": {"name": "expected mAP", "value": 0.7421, "worst": 0.7012, "best": 0.7833, "protocol": expected},
            "map_at_50_a": {"name": "mAP@50-A", "value": 0.81, "protocol": by_id | {"form": "A"}},
            "map_at_50_b": {"name": "mAP@50-B", "value": 0.79, "protocol": by_id | {"form": "B"}},
            "map_at_50_c": {"name": "mAP@50-C", "value": 0.66, "protocol": by_id | {"form": "C"}},
            "precision_radius_2": {
                "name": "precision within radius 2",
                "value": 0.5,
                "protocol": said | {"radius": 2, "found_nothing": 3, "ties": "none"},
            },
        },
        "bits": {
            "clips": 9,
            "bits": 8,
            "ones": [0.5] * 7 + [0.0],
            "entropy": [1.0] * 7 + [0.0],
            "mean_entropy": 0.875,
            "dead": [7],
            "correlation": 0.12,
            "distinct": 0.88,
        },
        "baseline": {"name": "champion", "map": 0.7},
        "training": {"best_epoch": 3, "val_map": 0.75, "parameters": 123456, "seconds": 61.2},
    }


def energy():
    layers = [
        {"name": "patch.conv", "kind": "conv", "macs": 2e6, "acs": 0, "rate": None, "energy_pj": 9.2e6},
        {"name": "mixer.0", "kind": "linear", "macs": 0, "acs": 1e6, "rate": 0.2, "energy_pj": 0.9e6},
    ]
    constants = {"mac_pj": 4.6, "ac_pj": 0.9}
    return {"layers": layers, "total_mj": 0.0101, "constants": constants, "notes": ["45 nm, 32-bit operations"]}


def neighbours(labels=LABELS):
    def result(query, place):
        number = QUERIES + (query + place * (1 + query // 3)) % 9
        return {"clip_id": clip_id(number), "label": labels[number % 3], "distance": place}

    queries = [
        {"clip_id": clip_id(q), "label": labels[q % 3], "results": [result(q, place) for place in range(RESULTS)]}
        for q in range(QUERIES)
    ]
    confusion = {"labels": labels, "counts": [[8, 2, 0], [1, 9, 0], [3, 0, 7]], "protocol": {"k": 10, "queries": 3}}
    return {"confusion": confusion, "queries": queries}


def similarity(labels=LABELS):
    alike = [[0.9, 0.1, -0.2], [0.1, 0.8, 0.0], [-0.2, 0.0, 0.7]]
    return {"labels": labels, "hash": alike, "soft": [[1.0, 0.2, 0.0], [0.2, 1.0, 0.0], [0.0, 0.0, 1.0]]}


def write_plots(folder):
    folder.mkdir(parents=True, exist_ok=True)
    write_csv(folder / "pr_curve.csv", ["radius", "recall", "precision"], [[r, r / 8, 1 - r / 12] for r in range(9)])
    # a chart takes 0.1 s, so only some of the columns; a validation that never ran has empty cells
    head = ["epoch", "loss", "accuracy", "val_map"]
    write_csv(folder / "history.csv", head, [[e, 1 / (e + 1), 0.5, ""] for e in range(5)])
    write_csv(folder / "bit_balance.csv", ["bit", "ones"], [[b, 0.5 if b < 7 else 0] for b in range(8)])
    write_csv(folder / "firing_rates.csv", ["layer", "rate"], [["patch.lif", 0.2], ["mixer.0.lif", 0]])


def write_csv(path, head, rows):
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([head, *rows])


def write_reports(folder, labels=LABELS, plots=True):
    """`plots=False` makes pages that are quicker to draw."""
    folder.mkdir(parents=True, exist_ok=True)
    if plots:
        write_plots(folder / "plots")
    contents = {"evaluation": metrics(), "energy": energy(), "neighbours": neighbours(labels)}
    contents["similarity"] = similarity(labels)
    for name, content in contents.items():
        (folder / f"{name}.json").write_text(json.dumps(content))
    return folder
