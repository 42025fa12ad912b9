"""What each tool is asked to do for each of the three jobs."""
import json
import os
import shutil
import subprocess

JOBS = {
    "none": "Nothing isolated",
    "net+mount": "A net and a mount namespace",
    "full": "Six namespaces, read-only root, private /tmp, /dev and /proc, 40 filtered calls",
}

# The 40 calls that the filter denies.
CALLS = """
    acct add_key bpf clock_adjtime clock_settime delete_module fanotify_init finit_module fsconfig fsmount fsopen fspick
    init_module io_uring_enter io_uring_register io_uring_setup ioperm iopl kexec_file_load kexec_load keyctl
    lookup_dcookie mount mount_setattr move_mount open_by_handle_at open_tree perf_event_open pivot_root
    process_vm_readv process_vm_writev ptrace quotactl reboot request_key settimeofday swapoff swapon umount2
    userfaultfd
""".split()
assert len(CALLS) == 40


def spawn(file, words, stderr):
    """Starts a command, with `file` open as descriptor 9 unless it is "-"."""
    if file == "-":
        return subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=stderr)
    descriptor = os.open(file, os.O_RDONLY)
    os.dup2(descriptor, 9)
    try:
        return subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=stderr, pass_fds=(9,))
    finally:
        os.close(9)
        if descriptor != 9:
            os.close(descriptor)


def bundle(folder, application, job):
    """An OCI bundle with the application in an otherwise empty root directory."""
    root = f"{folder}/rootfs"
    for name in ("dev", "proc", "sys", "tmp", "var/tmp"):
        os.makedirs(f"{root}/{name}", exist_ok=True)
    shutil.copy(application, f"{root}/application")
    full = job == "full"
    kinds = {"none": ["mount"], "net+mount": ["mount", "network"], "full": ["user", "mount", "pid", "network", "ipc", "uts"]}[job]
    config = {
        "ociVersion": "1.0.2",
        "process": {"terminal": False, "user": {"uid": 0, "gid": 0}, "args": ["/application"], "env": ["PATH=/"],
                    "cwd": "/", "noNewPrivileges": True},
        "root": {"path": "rootfs", "readonly": full},
        "hostname": "box" if full else "",
        "mounts": [{"destination": "/proc", "type": "proc", "source": "proc"}],
        "linux": {"namespaces": [{"type": kind} for kind in kinds]},
    }
    if not full:
        # proc of the host's pid namespace can't be mounted anew without a pid namespace of the box's own.
        config["mounts"] = [{"destination": "/proc", "type": "bind", "source": "/proc", "options": ["rbind"]}]
        del config["hostname"]
    else:
        config["process"]["capabilities"] = {s: [] for s in ("bounding", "effective", "permitted", "ambient")}
        config["mounts"] += [
            {"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "mode=755"]},
            {"destination": "/dev/pts", "type": "devpts", "source": "devpts", "options": ["nosuid", "noexec", "newinstance", "ptmxmode=0666"]},
            {"destination": "/tmp", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "nodev"]},
            {"destination": "/var/tmp", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "nodev"]},
        ]
        mapping = [{"containerID": 0, "hostID": 0, "size": 1}]
        config["linux"].update(
            uidMappings=mapping, gidMappings=mapping,
            seccomp={"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X86_64" if os.uname().machine == "x86_64" else "SCMP_ARCH_AARCH64"],
                     "syscalls": [{"names": CALLS, "action": "SCMP_ACT_ERRNO", "errnoRet": 1}]})
    with open(f"{folder}/config.json", "w") as out:
        json.dump(config, out)


def tools(folder, build, here, sandbox):
    """Every tool's command line for every job: name, tool, job, words, file for descriptor 9, measured for memory."""
    application = f"{folder}/application"
    commands = []

    def add(tool, job, words, name=None, file="-", memory=False):
        commands.append({"tool": tool, "job": job, "name": name or tool, "words": words, "file": file, "memory": memory})

    add("nothing", "none", [application], name="the application alone")
    for job in JOBS:
        add("floor", job, [f"{build}/floor", job, application], name="floor.c", memory=job == "full")

    if sandbox:
        add("sandbox", "none", [sandbox, "run", "--", application])
        add("sandbox", "net+mount", [sandbox, "run", "-p", f"{here}/net-mount.toml", "--", application], memory=True)
        add("sandbox", "full", [sandbox, "run", "-p", f"{here}/full.toml", "--", application], memory=True)

    add("unshare", "none", ["unshare", application])
    add("unshare", "net+mount", ["unshare", "--net", "--mount", application], memory=True)
    add("unshare", "full", ["unshare", "--map-current-user", "--mount", "--net", "--ipc", "--uts", "--pid", "--fork", "--mount-proc", application],
        name="unshare (writable root, host's /tmp and /dev, no filter)", memory=True)

    bwrap = ["bwrap", "--dev-bind", "/", "/"]
    add("bwrap", "none", [*bwrap, application], name="bwrap (a mount namespace: its least)")
    add("bwrap", "net+mount", [*bwrap, "--unshare-net", application], memory=True)
    add("bwrap", "full", ["bwrap", "--unshare-user", "--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts", "--cap-drop", "ALL",
                          "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc", "--tmpfs", "/tmp", "--tmpfs", "/var/tmp", "--seccomp", "9", application],
        file=f"{build}/filter.bpf", memory=True)

    firejail = ["firejail", "--quiet", "--noprofile"]
    add("firejail", "none", [*firejail, application], name="firejail (pid and mount namespaces: its least)")
    add("firejail", "net+mount", [*firejail, "--net=none", application], name="firejail (and a pid namespace)", memory=True)
    add("firejail", "full", [*firejail, "--net=none", "--ipc-namespace", "--noroot", "--read-only=/", "--private-tmp", "--private-dev",
                             "--caps.drop=all", "--nonewprivs", f"--seccomp.drop={','.join(CALLS)}", application], memory=True)

    for tool in ("runc", "crun"):
        for job in JOBS:
            place = f"{folder}/{tool}-{job}"
            os.makedirs(place)
            bundle(place, application, job)
            least = " (a mount namespace: its least)" if job == "none" else ""
            add(tool, job, [tool, "--root", f"{place}/state", "run", "--bundle", place, f"bench-{os.getpid()}"],
                name=f"{tool} run{least}", memory=job == "full")
    return commands
