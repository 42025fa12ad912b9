import Checkpoint
import Glibc
import Kernel
import Launch
import Profile

extension Restoration {
    /// How its memory comes in, and what is made known of it. All of it is done by the process that watches over that.
    /// - Parameter pages: what is checked when it comes in.
    /// - Parameter snapshot: which it is of.
    func lateMemory(_ source: PageSource?, _ pages: LatePages?, of snapshot: String) -> LateMemory {
        let (registry, name) = (registry, name)
        var memory = LateMemory()
        (memory.source, memory.pages) = (source, pages)
        memory.begun = { server throws(LaunchError) in
            try translated { () throws(SystemError) in
                try registry.openFolder(name)?.write(File.late, server.temporary(File.late))
            }
        }
        memory.ended = { end in
            // Nobody is left to tell of errors. A note of a process that has ended is as good as none.
            try? registry.openFolder(name)?.remove(File.late)
            switch end {
            case .whole: try? EventLog(registry.state).add("loaded", name)
            case .over: break
            case .lost(let reason):
                try? registry.endAll(name)
                try? EventLog(registry.state).add("memory-lost", name, [("reason", .string(reason))])
                let line = "sandbox: \(name): killed: a part of its memory could not be brought in: \(reason)\n"
                _ = write(STDERR_FILENO, line, line.utf8.count)
            case .deserted(let root):
                // Who took it in clears it away before it ends by itself, and then another may have the name.
                if let record = try? registry.find(name), record.process?.pid == root {
                    try? Sandbox(name, registry).remove(force: true)
                }
                try? SnapshotStore.ofCaller().delete(snapshot)
            }
        }
        return memory
    }
}

extension Restoration {
    /// What a snapshot's memory is checked by before the first step, and what of it is checked when it comes in.
    typealias Proven = (before: ImageProof, later: LatePages?)

    /// Begins to check it.
    /// - Parameter count: how many restores wait for that.
    func prove(_ snapshot: Snapshot, in store: SnapshotStore, for count: Int = 1) throws(LaunchError) -> Proven {
        let later = try latePages(snapshot)
        return (try ImageProof(of: snapshot, in: store, for: count, but: later), later)
    }

    private func latePages(_ snapshot: Snapshot) throws(LaunchError) -> LatePages? {
        guard late.isLate, late.source == nil else { return nil }
        // Another CRIU asks in another way.
        let version = try CRIUEngine.find().version()
        let isKnown = (version.major, version.minor) >= (4, 2)
        let pages = isKnown ? try stored { () throws(SnapshotError) in try LatePages(of: snapshot) } : nil
        if pages == nil, snapshot.restsOnCopies {
            throw LaunchError(
                "the memory of \"\(snapshot.manifest.id)\" cannot be brought in later: copies of it were made before the save, and "
                    + (isKnown ? "they are compressed" : "this CRIU is older than 4.2"),
                mend: "restore without --lazy")
        }
        return pages
    }
}

extension Registry {
    /// Kills all processes of a sandbox; its waiter records their end.
    fileprivate func endAll(_ name: String) throws(LaunchError) {
        guard let record = try find(name) else { return }
        try translated { () throws(SystemError) in
            for process in try Cgroup(groups: record.groups).processes() { kill(process, SIGKILL) }
        }
        try endProcesses(of: record)
    }

    /// - Throws: when memory of the sandbox is still missing: a snapshot would hold zeros in its place.
    func refuseLate(_ name: String) throws(LaunchError) {
        let server = try translated { () throws(SystemError) in
            try openFolder(name)?.read(File.late).flatMap { ProcessIdentity(temporary: $0) }
        }
        guard let server, try translated({ () throws(SystemError) in try server.isAlive() }) else { return }
        throw LaunchError(
            "the memory of \"\(name)\" is still coming in", mend: "try again when 'sandbox events' has told 'loaded'")
    }
}
