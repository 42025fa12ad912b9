"""What goes through paths between network namespaces: bulk TCP, small packets, and a packet there and back.

A path is (file of the server's namespace, file of the client's, the server's address). All paths are measured in turns,
in another order each round, and compared within their round.
"""
import json
import os
import random
import statistics
import subprocess
import time

HERE = os.path.dirname(os.path.abspath(__file__))


def call(words):
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(words[:8])} …: {done.stderr or done.stdout}")
    return done.stdout


class Traffic:
    """Builds its programs in a folder."""

    def __init__(self, folder):
        self.packets, self.roundtrip = f"{folder}/packets", f"{folder}/roundtrip"
        for tool in (self.packets, self.roundtrip):
            call(["cc", "-O2", "-o", tool, f"{HERE}/{os.path.basename(tool)}.c"])

    def packet_rate(self, path, seconds=0.15):
        """Packets of 64 bytes that arrive, in thousands a second."""
        return float(call([self.packets, *path, str(int(seconds * 1000))]).split()[0])

    def trip(self, path, seconds=0.15):
        """Microseconds there and back, both ends on one processor: no other one has to be woken."""
        server, client, address = path
        echo = subprocess.Popen(["nsenter", f"--net={server}", "taskset", "-c", "1", self.roundtrip, "serve", "7"])
        try:
            time.sleep(0.05)
            words = ["nsenter", f"--net={client}", "taskset", "-c", "1", self.roundtrip, address, "7", str(seconds)]
            return float(call(words).split()[0])
        finally:
            echo.kill()
            echo.wait()

    def bulk(self, path, seconds=1):
        """TCP in Gbit/s (iperf3)."""
        server, client, address = path
        listener = subprocess.Popen(["nsenter", f"--net={server}", "iperf3", "-s", "-A", "1"], stdout=subprocess.DEVNULL)
        try:
            time.sleep(0.2)
            done = call(["nsenter", f"--net={client}", "iperf3", "-c", address, "-t", str(seconds), "-A", "0", "-J"])
            return json.loads(done)["end"]["sum_received"]["bits_per_second"] / 1e9
        finally:
            listener.kill()
            listener.wait()

    def compare(self, paths, measure, rounds):
        """Of each path the values of all rounds; `measure` is one of the functions above."""
        found = {name: [] for name in paths}
        for _ in range(rounds):
            for name in random.sample(list(paths), len(paths)):
                found[name].append(measure(paths[name]))
        return found


def ratio(values, plain):
    """The median of the ratios within each round, with its quartiles."""
    ratios = [one / other for one, other in zip(values, plain)]
    if len(ratios) < 2:
        return f"{ratios[0]:.2f}"
    low, middle, high = statistics.quantiles(ratios, n=4, method="inclusive")
    return f"{middle:.2f} ({low:.2f}–{high:.2f})"


def more(values, plain):
    """The median of the differences within each round."""
    return statistics.median(one - other for one, other in zip(values, plain))
