"""The night report as Markdown, for a person in the morning: its first line says whether somebody must act."""

from __future__ import annotations

from typing import Any

from spikinghash.report.verdict import act_line
from spikinghash.visible import markdown


def night_text(report: dict[str, Any]) -> str:
    """`report` is that of `night_report`; every name in it is shown as it is, whatever it says."""
    e, f = report["encode"], report["fsck"]
    lines = [
        f"# {act_line(report, markdown)}",
        "",
        *_acts(report["act"] or []),
        f"Night of model {markdown(report['model'])} over {markdown(report['db'])}.",
        "",
        f"{e['found']} recordings found: {e['committed']} hashed, {e['skipped']} known, {e['quarantined']} refused, "
        f"{e['pending']} pending, in {e['seconds']:.1f} s ({report['recordings_per_s']:,.1f} recordings and "
        f"{e['events_per_s']:,.0f} events a second).",
        "",
        f"The database is {'in order' if f['ok'] else 'NOT in order'}: {f['committed']} committed, {f['quarantined']} "
        f"quarantined, {f['pending']} pending, {f['duplicates']} doubled, {f['missing']} files missing.",
    ]
    lines += [f"- {markdown(problem)}" for problem in f.get("problems", [])]
    for part in (_growth, _landing, _growing, _refused, _bits, _pinned, _shadow):
        if said := part(report):
            lines += ["", *said]
    bounds = report["bounds"]
    lines += [
        "",
        "A person must act where the accounts do not add up, recordings stayed pending, a file was still being written "
        "two nights in a row, the champion was changed by other means, more than "
        f"{bounds['refused_share']:.0%} of what is new was refused, bits drift by more than {bounds['drift']} beyond "
        f"chance, or the pinned queries find less than {bounds['recall']:.0%} of what they found.",
    ]
    return "\n".join(lines) + "\n"


def _acts(act: list[str]) -> list[str]:
    """All of them in order, where the first line could only tell one."""
    return [*(f"{place}. {markdown(said)}" for place, said in enumerate(act, 1)), ""] if len(act) > 1 else []


def _growth(report: dict[str, Any]) -> list[str]:
    if (grown := report["growth"]) is None:
        return []
    before, after, week = grown["before"], grown["after"], grown["week_ago"]
    line = (
        f"The table has {after['codes']:,} codes of all models in {after['bytes']:,} bytes: "
        f"{after['codes'] - before['codes']:+,} codes and {after['bytes'] - before['bytes']:+,} bytes tonight"
    )
    if week is not None:
        codes, size = after["codes"] - week["codes"], after["bytes"] - week["bytes"]
        line += f", {codes:+,} codes and {size:+,} bytes since {grown['week_ago_began'][:10]}"
    return [line + "."]


def _landing(report: dict[str, Any]) -> list[str]:
    """Every refused name, for a file that was never fetched is in no quarantine."""
    if (landed := report["landing"]) is None:
        return []
    refused, changed = landed["refused"], landed["changed"]
    return [
        f"{landed['found']} objects in {markdown(landed['address'])}: {landed['fetched']} fetched "
        f"({landed['bytes']:,} bytes), {landed['kept']} here already, {len(refused)} refused by name, "
        f"{len(changed)} changed while they were read.",
        *(f"- '{markdown(name)}' is refused: the name {markdown(rule)}" for name, rule in refused.items()),
        *(f"- '{markdown(name)}' is left for the next night" for name in changed),
    ]


def _growing(report: dict[str, Any]) -> list[str]:
    if not report["growing"]:
        return []
    first = markdown(report["growing"][0])
    return [f"{len(report['growing'])} files are still being written, the first {first}: for the next night."]


def _refused(report: dict[str, Any]) -> list[str]:
    """Reasons with the files of all nights, and some of tonight's."""
    lines = []
    for reason, count in report["encode"]["reasons"].items():
        tonight = report["refusals"].get(reason, {"count": 0, "examples": []})
        some = ", ".join(markdown(path) for path in tonight["examples"])
        lines.append(f"| {reason} | {count} | {tonight['count']} | {some} |")
    if not lines:
        return []
    return ["| refused because | files | new tonight | for example |", "|---|---|---|---|", *lines]


def _bits(report: dict[str, Any]) -> list[str]:
    if report["bits"] is None:
        return []
    against = (("drift", "earlier codes"), ("drift_training", "the training codes"))
    drift = "".join(
        f", drift against {what} {report[key]:.3f} (chance {report['chance'][key]:.3f})"
        for key, what in against
        if report[key] is not None
    )
    return [f"{_health(report['bits'])}{drift}."]


def _health(bits: dict[str, Any]) -> str:
    ones = bits["balance"]
    return (
        f"{bits['clips']} codes of {bits['bits']} bits: {ones['mean']:.0%} ones ({ones['least']:.0%} to "
        f"{ones['most']:.0%} by bit), entropy {bits['mean_entropy']:.3f} a bit, {len(bits['dead'])} dead, "
        f"{bits['distinct']:.0%} different"
    )


def _pinned(report: dict[str, Any]) -> list[str]:
    pinned = report["pinned"]
    if pinned is None or pinned["problem"] is not None:
        return []
    lines = [
        f"{pinned['count']} pinned queries find {pinned['mean']:.3f} of what they found on {pinned['since'][:10]}, "
        f"the lowest {pinned['lowest']:.3f} (through the index {pinned['index']:.3f}, from the table "
        f"{pinned['table']:.3f}).",
    ]
    return lines + [f"- {one['recall']:.3f}: {markdown(one['id'])}" for one in pinned["worst"]]


def _shadow(report: dict[str, Any]) -> list[str]:
    if (shadow := report["shadow"]) is None:
        return []
    name = f"Shadow {markdown(shadow['ref'])}"
    if shadow["problem"] is not None:
        return [f"{name}: {markdown(shadow['problem'])}."]
    e = shadow["encode"]
    lines = [
        f"{name}, model {markdown(shadow['model'])}: {e['committed']} hashed, {e['skipped']} known, {e['quarantined']} "
        f"refused, {e['pending']} pending, in {e['seconds']:.1f} s.",
    ]
    if shadow["bits"] is not None:
        lines += ["", f"{_health(shadow['bits'])}."]
    if shadow["overlap"] is None:
        return [*lines, "", "No two recordings of tonight have codes of both models, so no neighbours were compared."]
    lines += [
        "",
        f"{shadow['overlap']:.3f} of the {shadow['k']} nearest clips are the same under both models, for "
        f"{shadow['asked']} clips of tonight among {shadow['both']} that both have hashed. Least:",
    ]
    return lines + [
        f"- {one['overlap']:.3f}: {markdown(one['id'])} in {markdown(one['recording'])}" for one in shadow["least"]
    ]
