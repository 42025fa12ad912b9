import Glibc
import Testing

@testable import sandbox

@Suite("Probing this machine", .serialized)
struct DoctorProbeTests {
    /// The executable that was built beside the tests.
    private var executable: String {
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = buffer.withUnsafeMutableBytes { bytes in
            bytes.baseAddress.map { readlink("/proc/self/exe", $0, bytes.count) } ?? 0
        }
        let path = String(decoding: buffer.prefix(max(count, 0)), as: UTF8.self)
        return path.split(separator: "/").dropLast().reduce("") { $0 + "/" + $1 } + "/sandbox"
    }

    /// What a probe would leave behind: its mounts on /tmp, and its interfaces.
    private func traces() -> [Substring] {
        let mounts = (fileText("/proc/self/mountinfo") ?? "").split(separator: "\n").filter { line in
            let fields = line.split(separator: " ")
            return fields.count > 4 && (fields[4] == "/tmp" || fields[4].hasPrefix("/tmp/merged"))
        }
        let links = (fileText("/proc/net/dev") ?? "").split(separator: "\n").filter { $0.contains("probe") }
        return mounts + links
    }

    @Test("doctor tells as a document what it found, and leaves the machine as it was")
    func doctor() {
        let before = traces()
        let doctor = Subprocess.run(executable, ["doctor", "--json"], seconds: 60)
        #expect(traces() == before)
        let isReady = doctor.output.contains("\"ready\": true")
        #expect(doctor.exitStatus == (isReady ? 0 : 1))
        #expect(doctor.output.contains("\"id\": \"namespace-user\""))
    }

    @Test("each probe ends with a status of its own", arguments: Probe.allCases)
    func probe(_ probe: Probe) {
        let child = Subprocess.run(executable, ["doctor", "--probe", probe.rawValue])
        #expect((0..<125).contains(child.exitStatus ?? -1), "\(probe)")
    }

    @Test(
        "a usage error is 125, and nothing is printed as an answer",
        arguments: [
            ["run", "--frob"], ["run", "--unshare", "nte", "true"], ["run"], ["doctor", "--probe", "nothing"], ["frob"],
            ["profile", "show"], ["profile", "show", "no-such-profile"], ["explain", "x"], ["run", "--rm=1", "true"],
            ["run", "--set", "process.usr=x", "true"], ["run", "--bind", "/a:b", "true"],
        ])
    func usage(words: [String]) {
        let child = Subprocess.run(executable, words)
        #expect(child.exitStatus == 125)
        #expect(child.output.isEmpty)
    }

    @Test("S9: what follows -- or the first word is never taken for an option of ours")
    func passthrough() {
        let echo = Subprocess.run(executable, ["run", "--", "/bin/echo", "--bind", "/etc:/x", "--", "--help"])
        #expect(echo.exitStatus == 0)
        #expect(echo.output == "--bind /etc:/x -- --help\n")
        let named = Subprocess.run(executable, ["run", "--", "--bind", "/etc:/x"])
        #expect(named.exitStatus == 127)
    }
}
