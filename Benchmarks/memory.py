"""Memory that a tool's own processes hold while the application runs in its box."""
import json
import os
import shutil
import signal
import subprocess
import time

from jobs import spawn

MANY = 20


def parents():
    """pid → parent's pid, of every process."""
    result = {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/stat") as file:
                result[int(name)] = int(file.read().rpartition(")")[2].split()[1])
        except (FileNotFoundError, ProcessLookupError):
            pass
    return result


def family(root):
    """The process and all its descendants."""
    above, found = parents(), {root}
    while True:
        more = {pid for pid, parent in above.items() if parent in found} - found
        if not more:
            return found
        found |= more


def is_application(pid, size):
    """By the executable's size: its path looks different from in and outside of a box."""
    try:
        return os.stat(f"/proc/{pid}/exe").st_size == size
    except OSError:
        return False


def pss(pid):
    try:
        with open(f"/proc/{pid}/smaps_rollup") as file:
            return next(int(line.split()[1]) for line in file if line.startswith("Pss:"))
    except (FileNotFoundError, ProcessLookupError):
        return 0


class Group:
    """A memory control group that counts all that boxes started in it hold, the kernel's objects included."""

    def __init__(self):
        self.path = None
        for usage, where in (("memory.usage_in_bytes", "/sys/fs/cgroup/memory"), ("memory.current", "/sys/fs/cgroup")):
            path = f"{where}/sandbox-bench-{os.getpid()}"
            try:
                os.mkdir(path)
            except OSError:
                continue
            if os.path.exists(f"{path}/{usage}"):
                self.path, self.usage = path, f"{path}/{usage}"
                return
            os.rmdir(path)

    def words(self, words):
        if not self.path:
            return words
        return ["/bin/sh", "-c", 'echo $$ >"$0"/cgroup.procs && exec "$@"', self.path, *words]

    def kib(self):
        """None where no memory group could be made."""
        if not self.path:
            return None
        with open(self.usage) as file:
            return int(file.read()) / 1024

    def remove(self):
        limit = time.monotonic() + 10
        while self.path:
            try:
                os.rmdir(self.path)
                return
            except OSError:
                if time.monotonic() > limit:
                    raise
                time.sleep(0.05)


def waiting(words):
    """The command line with the application waiting; an OCI bundle of its own for runc and crun."""
    if "--bundle" not in words:
        return [*words, "wait"], None
    words = list(words)
    at = words.index("--bundle") + 1
    copy = f"{words[at]}-wait-{time.monotonic_ns()}"
    shutil.copytree(words[at], copy)
    with open(f"{copy}/config.json") as file:
        config = json.load(file)
    config["process"]["args"].append("wait")
    with open(f"{copy}/config.json", "w") as file:
        json.dump(config, file)
    words[at] = copy
    words[words.index("--root") + 1] = f"{copy}/state"
    words[-1] = f"bench-{time.monotonic_ns()}"
    return words, copy


def start(command, size, group=None):
    """Starts one, in a control group when one is given, and waits until the application runs in it."""
    words, copy = waiting(command["words"])
    words[0] = shutil.which(words[0])
    if group:
        words = group.words(words)
    child = spawn(command["file"], words, stderr=subprocess.DEVNULL)
    limit = time.monotonic() + 20
    while not any(is_application(pid, size) for pid in family(child.pid)):
        if child.poll() is not None or time.monotonic() > limit:
            raise SystemExit(f"bench: {command['name']} did not start its application")
        time.sleep(0.01)
    return child, copy


def stop(child, copy, size):
    for pid in family(child.pid):
        if is_application(pid, size):
            os.kill(pid, signal.SIGKILL)
    try:
        child.wait(timeout=20)
    except subprocess.TimeoutExpired:
        for pid in family(child.pid):
            os.kill(pid, signal.SIGKILL)
        child.wait()
    if copy:
        shutil.rmtree(copy)


def others(child, size):
    return [pid for pid in family(child.pid) if not is_application(pid, size)]


def measure(commands, application):
    """One row per command: processes beside the application, PSS of one alone and of each of MANY, and all that one holds."""
    size = os.stat(application).st_size
    rows = []
    for command in commands:
        group, boxes = Group(), []
        try:
            boxes.append(start(command, size))
            time.sleep(0.2)
            processes = others(boxes[0][0], size)
            alone = sum(map(pss, processes))
            for _ in range(MANY):
                boxes.append(start(command, size, group))
            time.sleep(0.5)
            held = group.kib()
            each = sum(pss(pid) for child, _ in boxes for pid in others(child, size)) / len(boxes)
        finally:
            for box in boxes:
                stop(*box, size)
            group.remove()
        rows.append({"tool": command["tool"], "job": command["job"], "processes": len(processes), "alone": alone, "each": each,
                     "all": held / MANY if held else None, "name": f"{command['name']}, {command['job']}"})
    return rows
