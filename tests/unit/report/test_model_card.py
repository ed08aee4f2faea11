"""The page by which a person decides about a version."""

import pytest

from spikinghash.report.model_card import model_card

EVALUATION = {
    "task": {
        "dataset": "data/raw/digits", "model_digest": "f" * 16, "data_digest": "d" * 64, "frames_digest": "e" * 64,
        "classes": ["zero", "one|two"], "queries": 1539, "database": 20, "query_split": "test",
        "database_splits": ["train", "val"],
    },
    "training": {"recipe": {"epochs": 3, "seed": 7}, "seconds": 12.4, "parameters": 250_578, "best_epoch": 2},
    "metrics": {"map": {"value": 0.9, "worst": 0.85, "best": 0.95}, "accuracy": {"value": 0.8}},
    "baseline": {"name": "count images", "map": 0.4},
    "bits": {"bits": 64, "dead": [3], "distinct": 0.5},
    "energy_mj": 0.0119,
    "kernels": "a" * 16,
}  # fmt: skip
MODEL = {"method": "spikinghash", "options": {"network_size": "Nano"}, "bits": 64}
VERDICT = {
    "passed": False, "champion": "c" * 16,
    "findings": [{"rule": "map", "passed": False, "figure": -0.0123456, "bound": 0.0, "said": "worse | <b>much</b>"}],
}  # fmt: skip


def test_says_what_it_is_how_good_it_is_and_what_the_gate_said():
    card = model_card(EVALUATION, VERDICT, MODEL)
    assert card.startswith(f"# spikinghash Nano, 64 bits, `{'f' * 16}`\n")
    assert f"**Refused** against the champion `{'c' * 16}`." in card
    assert "| map | **refused** | −0.01235 | 0 |" in card
    assert "1,539 queries of the split test against 20 of train and val" in card
    assert "| mAP | 0.9000 (0.8500 to 0.9500) |" in card
    assert "| energy | 11.90 uJ a clip |" in card
    assert "epoch 2 was kept" in card
    assert "- kernels `aaaaaaaaaaaaaaaa`" in card


def test_names_of_strangers_are_no_markup():
    card = model_card(EVALUATION, VERDICT, MODEL)
    assert "one\\|two" in card
    assert "<b>" not in card.replace("\\<", "")


@pytest.mark.parametrize("verdict", [None, VERDICT | {"champion": None, "passed": True}])
def test_without_champion_or_gate(verdict):
    card = model_card(EVALUATION, verdict, MODEL)
    assert ("No gate has judged it." if verdict is None else "**Passed** as the first champion.") in card


def test_methods_without_a_classifier_or_epochs():
    plain = EVALUATION | {"metrics": {"map": EVALUATION["metrics"]["map"]}}
    plain["training"] = EVALUATION["training"] | {"best_epoch": None}
    card = model_card(plain, None, {"method": "itq", "options": {}, "bits": 16})
    assert card.startswith("# itq, 16 bits")
    assert "classifier" not in card
    assert "the last epoch was kept" in card
