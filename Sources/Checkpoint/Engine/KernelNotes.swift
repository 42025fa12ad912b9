import CLinux
import Glibc
public import Kernel
import Launch

/// What CRIU finds out about the kernel whenever it starts, which takes it longer than to bring a small box back. It keeps
/// notes of that in /run, where that is a tmpfs, so that they end with the kernel. Where it is none, as in many containers,
/// we keep the notes for it, of one boot, and show them to it in a mount namespace of its own.
public struct KernelNotes: Sendable {
    /// The file with them.
    private let path: String

    /// Where CRIU looks for them.
    private static let (folder, file) = ("/run", "criu.kdat")
    private static let place = "\(folder)/\(file)"
    private static let tmpfsMagic = 0x0102_1994
    /// Bytes; they have less than a page.
    private static let limit = 1 << 16

    /// Has CRIU take them where there are none.
    /// - Parameter store: a directory of ours for them.
    /// - Parameter boot: the kernel's boot_id.
    /// - Returns: `nil` where CRIU keeps them, and where there are none to be had: it takes its time then.
    public init?(_ engine: CRIUEngine, in store: borrowing StateFolder, boot: String) {
        var status = statfs()
        guard geteuid() == 0, statfs(KernelNotes.folder, &status) == 0,
            Int(status.f_type) != KernelNotes.tmpfsMagic, let program = FileStatus(path: engine.path)
        else { return nil }
        // CRIU itself looks whether they are of the same CRIU.
        let name = "\(boot).\(program.device).\(program.inode)"
        path = "\(store.path)/\(name)"
        do throws(SystemError) {
            // A file is shown in the place of a file. CRIU removes one without notes.
            let number = linux_open(KernelNotes.place, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0o600)
            if number < 0 { return nil }
            close(number)
            let kept = try store.entries()
            if kept.contains(name) { return }
            guard let notes = KernelNotes.take(engine) else { return nil }
            for old in kept { try store.remove(old) }
            try store.write(name, notes)
        } catch {
            return nil
        }
    }

    /// Has CRIU take them in a tmpfs of its own.
    private static func take(_ engine: CRIUEngine) -> [UInt8]? {
        let action = "mount a tmpfs for CRIU's notes"
        do throws(SystemError) {
            let tree = try MountTree(new: "tmpfs", [("mode", "0700"), ("size", "1m")], action: action)
            do throws(LaunchError) {
                _ = try engine.features { () throws(LaunchError) in
                    try LaunchError.wrap { () throws(SystemError) in
                        try isolate()
                        let place = try Descriptor(open: folder, O_PATH | O_DIRECTORY)
                        try tree.attach(to: place.number, action: action)
                    }
                }
            } catch {
                return nil
            }
            let number = linux_openat(tree.descriptor.number, file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW, 0)
            if number < 0 { return nil }
            let taken = Descriptor(number)
            let notes = try readBytes(taken.number, name: file, atMost: limit)
            return notes.isEmpty ? nil : notes
        } catch {
            return nil
        }
    }

    private static func isolate() throws(SystemError) {
        try unshareNamespaces(.mount)
        let host = try Descriptor(open: "/", O_PATH | O_DIRECTORY)
        try setMountPropagation(host.number, .private, recursive: true, action: "make the mounts private")
    }

    /// Shows them to the program that the calling process becomes. Without them it does the same, later.
    func show() {
        let action = "show CRIU its notes"
        do throws(SystemError) {
            try KernelNotes.isolate()
            let source = try Descriptor(open: path, O_PATH | O_NOFOLLOW)
            let place = try Descriptor(open: KernelNotes.place, O_PATH | O_NOFOLLOW)
            try MountTree(cloning: source.number, recursive: false, action: action)
                .attach(to: place.number, action: action)
        } catch {}
    }
}
