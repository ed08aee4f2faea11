"""Workers that share gradients are batch work to the system."""

import json
import os
import subprocess
import sys

import pytest

CODE = """
import json, os, threading
from spikinghash.training.batch_scheduling import schedule_as_batch
end = threading.Event()
threading.Thread(target=end.wait).start()
def policies(): return sorted(os.sched_getscheduler(int(thread)) for thread in os.listdir("/proc/self/task"))
before = policies()
schedule_as_batch()
print(json.dumps([before, policies()]))
end.set()
"""


@pytest.mark.skipif(not hasattr(os, "SCHED_BATCH"), reason="no such policy here")
def test_all_threads_of_a_process():
    out = subprocess.run([sys.executable, "-P", "-c", CODE], capture_output=True, text=True, check=True).stdout
    before, after = json.loads(out)
    assert len(after) >= 2
    assert (set(before), set(after)) == ({os.SCHED_OTHER}, {os.SCHED_BATCH})
