import CLinux
import Glibc
import Kernel

/// This program's own file, which a box that is joined could reach through /proc/PID/exe and overwrite
/// (CVE-2019-5736).
public enum OwnExecutable {
    private static let variable = "_SANDBOX_EXECUTABLE"

    /// The path that this program was started by, whatever file it runs from now.
    public static func path() -> String? {
        if let value = getenv(variable) { return String(cString: value) }
        var buffer = [CChar](repeating: 0, count: 4096)
        let count = readlink("/proc/self/exe", &buffer, buffer.count - 1)
        guard count > 0 else { return nil }
        return buffer[..<count].withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
    }

    /// Whether an entry of environ(7) is only between this program and itself.
    static func isOwn(_ entry: UnsafePointer<CChar>) -> Bool {
        // Most are told by this already, and need not become strings.
        entry.pointee == CChar(UInt8(ascii: "_")) && String(cString: entry).hasPrefix(variable + "=")
    }

    /// Executes this program again from a read-only mount of its file, which nobody sees, unless it runs from one.
    ///
    /// Without CAP_SYS_ADMIN there is no such mount, and no need of one: a box has no more rights over the file than
    /// who joins it.
    static func protect() throws(SystemError) {
        let action = "run from a read-only mount"
        let file = try Descriptor(open: "/proc/self/exe", O_PATH)
        var status = statfs()
        try check(action) { fstatfs(file.number, &status) }
        if status.f_flags & Int(ST_RDONLY) != 0 { return }
        let tree: MountTree
        do throws(SystemError) {
            tree = try MountTree(cloning: file.number, recursive: false, action: action)
        } catch {
            if error.code == EPERM { return }
            throw error
        }
        try tree.setAttributes([.readOnly, .nosuid, .nodev], recursive: false, action: action)
        if let path = path() { setenv(variable, path, 1) }
        execveat(tree.descriptor.number, "", linux_arguments(), Glibc.environ, AT_EMPTY_PATH)
        throw SystemError(action, code: errno)
    }
}
