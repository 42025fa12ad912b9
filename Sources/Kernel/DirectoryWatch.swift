import Glibc

/// Tells when anything in a directory changes (inotify(7)).
public struct DirectoryWatch: ~Copyable, Sendable {
    /// Readable when something has changed since ``clear()``.
    public let descriptor: Descriptor

    /// Watches the files in `path`, what is written to them too, and the directory itself.
    public init(_ path: String) throws(SystemError) {
        let made = Descriptor(
            try check("watch \(path)") { inotify_init1(Int32(IN_CLOEXEC) | Int32(IN_NONBLOCK)) })
        let events =
            UInt32(IN_MODIFY | IN_CREATE | IN_DELETE | IN_DELETE_SELF | IN_MOVE_SELF) | UInt32(IN_MOVED_TO)
            | UInt32(IN_ONLYDIR)
        try check("watch \(path)") { inotify_add_watch(made.number, path, events) }
        descriptor = made
    }

    /// Forgets the changes so far.
    public func clear() {
        var events = [UInt8](repeating: 0, count: 4096)
        while read(descriptor.number, &events, events.count) > 0 {}
    }
}
