import Checkpoint
import Foundation
import Kernel
import Profile

/// A store of its own in a directory that goes away with the value.
final class Fixture {
    let root: String
    let store: SnapshotStore

    init() throws {
        var template = Array("/tmp/sandbox-snapshot-XXXXXX".utf8CString)
        guard let made = mkdtemp(&template) else { throw SystemError("make a directory", code: errno) }
        root = String(cString: made)
        store = SnapshotStore(path: root + "/snapshots")
    }

    deinit { try? FileManager.default.removeItem(atPath: root) }  // Nothing is left but a directory in /tmp.

    /// A snapshot with two images.
    @discardableResult
    func snapshot(_ id: String, of sandbox: String = "web", created: Int = 1_700_000_000_000) throws -> Manifest {
        let draft = try store.begin(id)
        try Data((0..<9000).map { UInt8(truncatingIfNeeded: $0 &* 7) }).write(
            to: URL(fileURLWithPath: draft.images + "/pages-1.img"))
        try Data("inventory".utf8).write(to: URL(fileURLWithPath: draft.images + "/inventory.img"))
        return try draft.commit(Fixture.manifest(id, of: sandbox, created: created))
    }

    static func manifest(_ id: String, of sandbox: String, created: Int) -> Manifest {
        var manifest = Manifest(
            id: id, sandbox: sandbox, created: created,
            profile: .table([("namespaces", .table([("unshare", .strings(["pid"]))]))]),
            request: .table([("name", .string(sandbox))]), plan: .table([]))
        manifest.command = ["nginx", "-g", "daemon off;"]
        manifest.frozen = 61_234
        manifest.namespaces = [.mount, .net, .pid]
        manifest.interfaces = [
            .init(
                name: "eth0", attach: "veth", switchName: "lan", mac: "02:00:00:00:00:01", addresses: ["10.1.0.5/24"])
        ]
        manifest.mounts = [.init(path: "/proc", type: "proc", source: "proc")]
        manifest.externals = [.init(key: "net[4026532000]", value: "extNet")]
        manifest.stdio = [.init(descriptor: 1, kind: .pipe, key: "pipe:[123]")]
        var process = Manifest.Process(pid: 1, parent: 0, name: "nginx")
        process.bounding = .max
        process.timerThreads()
        manifest.processes = [process]
        manifest.contents.memory = 12_345_678
        manifest.contents.sockets = [
            .init(kind: "tcp", local: "10.1.0.5:80", remote: "10.1.0.9:40000", state: "ESTABLISHED", pid: 1)
        ]
        manifest.contents.changes = [.init(.added, "/var/log/nginx/access.log")]
        return manifest
    }

    func path(_ id: String, _ file: String) -> String { "\(store.path)/\(id)/\(file)" }

    func bytes(_ id: String, _ file: String) throws -> Data {
        try Data(contentsOf: URL(fileURLWithPath: path(id, file)))
    }

    func put(_ bytes: Data, _ id: String, _ file: String) throws {
        try bytes.write(to: URL(fileURLWithPath: path(id, file)))
    }
}

extension Manifest.Process {
    fileprivate mutating func timerThreads() {
        var thread = Manifest.Thread(id: 1)
        thread.affinity = "0-1"
        thread.timerSlack = 50_000
        threads = [thread]
    }
}
