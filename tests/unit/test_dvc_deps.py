"""`dvc.yaml` against the code: deps are the packages a stage really imports, so that DVC re-runs what changed."""

from pathlib import Path

import grimp
import pytest
import yaml

from spikinghash.pair_params import PairParams
from spikinghash.params import Params

ROOT = Path(__file__).parents[2]


def _stages(file):
    """Stages of a project, by project and module, with deps and params as they are called from the root."""
    for stage in yaml.safe_load((ROOT / file).read_text())["stages"].values():
        params = [key for one in stage["params"] for key in (one["../params.yaml"] if isinstance(one, dict) else [one])]
        module = stage["cmd"].split()[-1].removeprefix("stages.")
        yield (file, module), stage | {"deps": [dep.removeprefix("../") for dep in stage["deps"]], "params": params}


#: Each with the parameters of its project.
PROJECTS = {"dvc.yaml": Params, "tuning/dvc.yaml": Params, "crossmodal/dvc.yaml": PairParams}
STAGES = {name: stage for file in PROJECTS for name, stage in _stages(file)}

#: Modules that cannot change what a stage writes: checking, messages, progress, how files are written and where
#: compiled kernels are kept.
WITHOUT_EFFECT = {
    "spikinghash",
    "spikinghash.allocator",
    "spikinghash.errors",
    "spikinghash.files",
    "spikinghash.frames.framing_rules",
    "spikinghash.dvc_outputs",
    "spikinghash.isolation",
    "spikinghash.kernels",
    "spikinghash.kernels.cache_folder",
    "spikinghash.kernels.cache_locator",
    "spikinghash.kernels.digest",
    "spikinghash.kernels.jit",
    "spikinghash.night_params",
    "spikinghash.pair_params",
    "spikinghash.param_section",
    "spikinghash.params",
    "spikinghash.progress",
    "spikinghash.project_params",
    "spikinghash.read_tensors",
    "spikinghash.redact",
    "spikinghash.remote_store",
    "spikinghash.schedule_params",
    "spikinghash.start",
    "spikinghash.strict_yaml",
    "spikinghash.tune_params",
    "spikinghash.version",
    "spikinghash.visible",
    "stages",
    "stages.run_stage",
}


@pytest.fixture(scope="module")
def graph():
    return grimp.build_graph("spikinghash", "stages", cache_dir=None)


@pytest.mark.parametrize(("project", "stage"), STAGES)
def test_deps_are_the_imported_packages(project, stage, graph):
    imported = graph.find_upstream_modules(f"stages.{stage}") | {f"stages.{stage}"}
    expected = {_place(module, graph) for module in imported - WITHOUT_EFFECT}
    code = {d for d in STAGES[project, stage]["deps"] if d.startswith(("spikinghash/", "stages/"))}
    assert sorted(code) == sorted(expected)


def _place(module, graph):
    top, name = module.split(".")[:2]
    is_package = bool(graph.find_children(f"{top}.{name}"))
    return f"{top}/{name}" if is_package else f"{top}/{name}.py"


@pytest.mark.parametrize(("project", "stage"), STAGES)
def test_every_param_of_a_stage_exists(project, stage):
    for key in STAGES[project, stage]["params"]:
        section = PROJECTS[project]
        for part in key.split("."):
            assert part in section.model_fields, f"{stage}: {key}"
            section = section.model_fields[part].annotation


@pytest.mark.parametrize("params", [Params, PairParams])
def test_every_section_of_the_params_is_used_by_a_stage(params):
    used = {key.split(".")[0] for (file, _), one in STAGES.items() if PROJECTS[file] is params for key in one["params"]}
    # where the cache, Ray and the registry are changes no result, nor when flows run, what the gate lets pass and when
    # a night needs a person
    assert set(params.model_fields) - used <= {"data", "ray", "tracking", "gate", "schedule", "night"}


@pytest.mark.parametrize("stage", sorted({stage for _, stage in STAGES}))
def test_a_stage_is_a_thin_file(stage):
    lines = (ROOT / "stages" / f"{stage}.py").read_text().splitlines()
    assert len(lines) <= 60
