"""Files named like modules that leave a mark when they are run, for folders from which nothing may be imported."""

import functools
import io
import json
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

from spikinghash.start import PACKAGES

#: Prints the top-level names that some modules import or look for in vain.
_LISTEN = """
import importlib, json, sys
asked = set(sys.modules)

class Listener:
    @staticmethod
    def find_spec(name, path=None, target=None):
        asked.add(name)
        return None

sys.meta_path.insert(0, Listener)
for module in sys.argv[1].split(","):
    importlib.import_module(module)
if len(sys.argv) > 2:
    exec(sys.argv[2])
names = {name.partition(".")[0] for name in asked | set(sys.modules)}
print(json.dumps(sorted(name for name in names if name.isidentifier() and name != "__main__")))
"""


def names_imported(modules, more=""):
    """Top-level names that importing `modules`, and then running `more`, loads or looks for, and our packages."""
    command = [sys.executable, "-c", _LISTEN, ",".join(modules), *([more] if more else [])]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return frozenset(json.loads(done.stdout.splitlines()[-1])) | frozenset(PACKAGES)


@functools.cache
def names_of_readers(samples):
    """Those of the children that read: of the starter, of all formats (files in the folder `samples`), of archives, of
    pictures.
    """
    children = ("spikinghash.start", "spikinghash.events.decode_worker", "spikinghash.events.archive_worker")
    more = (
        "from pathlib import Path\n"
        "from spikinghash.events.reader import read_recording\n"
        f"for path in Path({str(samples)!r}).iterdir():\n"
        "    try: read_recording(path)\n"
        "    except Exception: pass\n"
    )
    return names_imported((*children, "spikinghash.datasets.picture_worker"), more)


def canary(name, marks):
    """Python that leaves a file called `name` in the folder `marks`."""
    return f"open({str(Path(marks) / name)!r}, 'w').close()\n"


def lay(folder, names, marks):
    """A canary for each name: as a module, as a package, and in archives."""
    folder.mkdir(exist_ok=True)
    Path(marks).mkdir(exist_ok=True)
    for name in names:
        (folder / f"{name}.py").write_text(canary(name, marks))
    for name in sorted(set(names) - set(PACKAGES))[::7]:
        (folder / name).mkdir(exist_ok=True)
        (folder / name / "__init__.py").write_text(canary(name, marks))
    for name in ("sitecustomize", "usercustomize"):
        (folder / f"{name}.py").write_text(canary(name, marks))
    with zipfile.ZipFile(folder / "modules.zip", "w") as archive:
        for name in names:
            archive.writestr(f"{name}.py", canary(name, marks))
    with tarfile.open(folder / "modules.tar", "w") as archive:
        for name in names:
            info, data = tarfile.TarInfo(f"{name}.py"), canary(name, marks).encode()
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))


def sung(marks):
    """Names of the canaries that ran."""
    return sorted(path.name for path in Path(marks).iterdir())
