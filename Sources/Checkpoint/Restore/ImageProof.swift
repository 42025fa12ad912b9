import CLinux
import Glibc
import Kernel
public import Launch

/// Takes the digests of a snapshot's files of memory in a process of its own while CRIU brings them back, for those who
/// wait for that before the first step of what they restore. What it does not tell is found out by who waits.
public final class ImageProof {
    private let store: SnapshotStore
    private let id: String
    /// Has a byte for each restore once all digests are right, and nothing more otherwise.
    private let answer: Int32
    private var process: Int32 = 0
    private let creator = getpid()

    /// - Parameter snapshot: inspected (``SnapshotStore/inspected(_:)``); of a verified one there is nothing to prove.
    /// - Parameter count: how many restores wait for it.
    /// - Parameter late: what is checked when it is brought in.
    public init(
        of snapshot: Snapshot, in store: SnapshotStore, for count: Int = 1, but late: LatePages? = nil
    ) throws(LaunchError) {
        (self.store, id) = (store, snapshot.manifest.id)
        if snapshot.unproven.isEmpty {
            answer = -1
            return
        }
        do throws(SystemError) {
            let pipe = try makePipe("take the digests of images")
            process = try startChild(in: []) {
                CrashPoint.enter("proof")
                _ = linux_prctl(PR_SET_PDEATHSIG, UInt(SIGKILL), 0, 0, 0)
                close(pipe.read)
                ImageProof.work(snapshot, late, [UInt8](repeating: 1, count: count), pipe.write)
            }
            close(pipe.write)
            answer = pipe.read
        } catch {
            throw LaunchError(error)
        }
    }

    deinit {
        if answer >= 0 { close(answer) }
        // A copy of it in a process that was started since has no child.
        if process == 0 || creator != getpid() { return }
        kill(process, SIGKILL)
        while waitpid(process, nil, 0) < 0, errno == EINTR {}
    }

    /// Waits until the files of memory are known to be what the manifest lists; once for each restore.
    /// - Throws: when one of them is not.
    public func confirm() throws(LaunchError) {
        if answer < 0 { return }
        var byte: UInt8 = 0
        while true {
            let count = read(answer, &byte, 1)
            if count == 1 { return }
            if count == 0 || errno != EINTR { break }
        }
        // It has found one that is wrong, or has been killed.
        do throws(SnapshotError) { _ = try store.verified(id) } catch { throw LaunchError(error.message) }
    }

    private static func work(
        _ snapshot: Snapshot, _ late: LatePages?, _ word: [UInt8], _ answer: Int32
    ) -> Never {
        CrashPoint.pass("digests")
        do throws(SnapshotError) {
            try late?.checkEarly()
            let folder = try attributed { () throws(SystemError) in try StateFolder(existing: snapshot.path) }
            for file in snapshot.manifest.files where snapshot.unproven.contains(file.path) {
                if late?.early(of: file.path) != nil { continue }
                let opened = try SnapshotFiles.open(path: file.path, in: folder)
                let measure = try attributed { () throws(SystemError) in
                    try FileDigest.of(file: opened.number, name: file.path, by: .mapped)
                }
                if measure != (file.digest, file.size) { _exit(1) }
            }
        } catch {
            _exit(1)
        }
        signal(SIGPIPE, SIG_IGN)
        _exit(write(answer, word, word.count) == word.count ? 0 : 1)
    }
}
