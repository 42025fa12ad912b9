import Glibc
import Kernel
import Launch
import Switching

extension Sandbox {
    /// Tells its neighbours where its addresses are now.
    func announce() throws(LaunchError) {
        let record = try record()
        guard let process = record.process, !record.ports.isEmpty else { return }
        try translated { () throws(SystemError) in
            let namespace = try Descriptor(open: "/proc/\(process.pid)/ns/net", O_RDONLY)
            for port in record.ports { try Announcement.send(port, in: namespace.number) }
        }
    }

    /// Has its neighbours' frames reach it here, or wherever it is heard from.
    func station(_ ports: [Port], isHere: Bool) throws(LaunchError) {
        try switched("network") { () throws(SwitchError) in
            try SwitchStore(registry.state).hold(ports, isHere: isHere)
        }
    }

    /// The same where it goes on whatever comes of that: a failure keeps its traffic away, and is told as an event.
    func tell(_ ports: [Port], isHere: Bool) {
        do throws(LaunchError) {
            try station(ports, isHere: isHere)
        } catch {
            // Where this fails, too, nobody can be told.
            try? EventLog(registry.state).add("station-lost", name, [("reason", .string(error.message))])
        }
    }

    /// What keeps frames for it while it stands still; `nil` where it has no network of its own.
    func waitingFrames() throws(LaunchError) -> WaitingFrames? {
        let record = try record()
        guard let process = record.process, record.namespaces.contains(.net), !record.ports.isEmpty else { return nil }
        let box = try translated { () throws(SystemError) in
            try Descriptor(open: "/proc/\(process.pid)/ns/net", O_RDONLY)
        }
        return try switched("network") { () throws(SwitchError) in
            try SwitchStore(registry.state).waitingFrames(for: record.ports, of: box.number)
        }
    }

    /// Pauses it here, since it may run on another host by now.
    func park(_ record: SandboxRecord) throws(LaunchError) {
        try translated { () throws(SystemError) in
            try Cgroup(groups: record.groups).freeze()
            try registry.openFolder(name)?.write(File.left, "")
        }
    }

    /// Has its neighbours find it here again where it goes on after ``park(_:)``.
    func returnHome(_ record: SandboxRecord) throws(LaunchError) {
        let hasLeft = try translated { () throws(SystemError) in
            guard let folder = try registry.openFolder(name), try folder.read(File.left) != nil else { return false }
            try folder.remove(File.left)
            return true
        }
        if !hasLeft { return }
        try station(record.ports, isHere: true)
        try announce()
    }
}
