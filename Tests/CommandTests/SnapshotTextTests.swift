import Checkpoint
import Foundation
import Profile
import Testing

@testable import sandbox

@Suite struct SnapshotTextTests {
    @Test func whatIsInsideIsTold() throws {
        let root = "/tmp/sandbox-snapshot-text-\(getpid())"
        defer { try? FileManager.default.removeItem(atPath: root) }  // Nothing is left but a directory in /tmp.
        let store = SnapshotStore(path: root)
        var manifest = Manifest(
            id: "web-1", sandbox: "web", created: 0, profile: .table([]), request: .table([]), plan: .table([]))
        manifest.command = ["redis-server"]
        manifest.frozen = 61_240
        var process = Manifest.Process(pid: 1, parent: 0, name: "redis-server")
        process.memory = 3 << 20
        manifest.processes = [process]
        manifest.contents.sockets = [
            .init(kind: "tcp", local: "10.1.0.5:6379", remote: "10.1.0.9:40000", state: "ESTABLISHED", pid: 1)
        ]
        manifest.contents.changes = [.init(.added, "/data/\u{1b}[31m")]
        try store.begin("web-1").commit(manifest)
        let text = try store.snapshot("web-1").text(
            width: nil, style: Style(isTerminal: false, noColour: nil, term: nil))
        for part in ["web-1", "61.2 ms", "redis-server", "3.0M", "10.1.0.9:40000", "ESTABLISHED", "A     /data/"] {
            #expect(text.contains(part), "\(part) in \(text)")
        }
        #expect(!text.contains("\u{1b}"))
    }
}
