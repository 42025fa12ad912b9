import Glibc
import Kernel

/// A directory of a switch that its server reads, with a file for each port. The server passes over names that begin with
/// a dot, as those of files have that are being written.
enum ServedFolder {
    /// Readable for the server's user, who reaches it in his own box only.
    static func make(_ name: String, in folder: borrowing StateFolder) throws(SystemError) {
        let made = try folder.folder(name)
        let number = made.descriptor.number
        try check("make \(made.path)") { fchmod(number, 0o755) }
    }

    static func write(_ name: String, _ text: String, in folder: borrowing StateFolder) throws(SystemError) {
        try folder.write(name, text, mode: 0o644)
    }

    /// Removes what belongs to none of the ports, but for what somebody writes just now.
    /// - Parameter entries: what was there before the ports were looked at: a port is there before its file.
    /// - Returns: the paths removed.
    static func sweep(
        _ entries: [String], but used: Set<String>, in folder: borrowing StateFolder
    ) throws(SystemError) -> [String] {
        var removed: [String] = []
        for entry in entries where !used.contains(entry) {
            if let owner = ProcessIdentity(temporary: entry), try owner.isAlive() { continue }
            try folder.remove(entry)
            removed.append("\(folder.path)/\(entry)")
        }
        return removed
    }
}
