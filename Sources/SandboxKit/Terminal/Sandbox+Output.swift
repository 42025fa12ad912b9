import Kernel
public import Launch

extension Sandbox {
    /// What the detached sandbox `name` has written, from the oldest that is kept on.
    /// - Throws: where there is no such sandbox, or it writes to where its starter did.
    public static func log(of name: String, in registry: Registry) throws(LaunchError) -> OutputLog {
        guard try registry.settle(name) != nil else { throw Registry.unknown(name) }
        let folder = try translated { () throws(SystemError) in try registry.openFolder(name) }
        guard let folder else { throw Registry.unknown(name) }
        var log = try OutputLog(in: folder, of: name)
        try translated { () throws(SystemError) in try log.moveToBeginning() }
        return log
    }

    /// Connects to the terminal of the detached sandbox `name`; see ``Attachment``.
    public static func attach(
        to name: String, in registry: Registry, types: Bool = true, rows: UInt16 = 0, columns: UInt16 = 0
    ) throws(LaunchError) -> Attachment {
        try Attachment(to: name, of: registry, types: types, rows: rows, columns: columns)
    }
}
