import Checkpoint
import Glibc
import Kernel
import Launch

/// Copies a sandbox's memory while it runs, before it is saved: then it stands still only for what it has written to
/// since the last copy.
struct PreCopying {
    let plan: PreCopyPlan
    /// Takes each copy to where the sandbox is to go on: its files, which are parts of the snapshot in the making.
    let carry: ((_ files: [Manifest.File], _ draft: SnapshotDraft) throws(LaunchError) -> Void)?

    /// - Parameter abandon: done by another process when this one is killed.
    func run(
        _ engine: CRIUEngine, root: Int32, in draft: SnapshotDraft, abandon: @escaping @Sendable () -> Void
    ) throws(LaunchError) -> MemoryCopies {
        let copies = MemoryCopies(in: draft)
        while copies.goOn(plan) {
            let files = try copies.add(engine, root: root, abandon: abandon)
            CrashPoint.pass("copied")
            try carry?(files, draft)
            CrashPoint.pass("carried")
        }
        return copies
    }
}
