import CLinux
import Glibc
import Kernel
import Launch
public import Profile

extension ProfileStore {
    /// The caller's profiles: `$XDG_CONFIG_HOME/sandbox/profiles`, `/etc/sandbox/profiles`, and those that came with
    /// this program (`../share/sandbox/profiles` from the executable, or `$SANDBOX_PROFILES`).
    public static func ofCaller() -> ProfileStore {
        ProfileStore(directories: searchPath(), read: readProfile, list: listProfiles)
    }

    /// The same, or the service functions beside them.
    public static func ofCaller(functions: Bool) -> ProfileStore { functions ? ofCaller().functions : ofCaller() }

    /// The profiles that a service of the system finds, whose environment has no home: all but the caller's own.
    public static func ofServices() -> ProfileStore {
        ProfileStore(directories: commonPath(), read: readProfile, list: listProfiles)
    }

    /// No profiles at all.
    public static var empty: ProfileStore { ProfileStore(directories: [], read: readProfile, list: listProfiles) }

    private static func searchPath() -> [String] {
        (ownConfiguration.map { [$0 + "/profiles"] } ?? []) + commonPath()
    }

    /// What the caller alone decides about sandboxes: `$XDG_CONFIG_HOME/sandbox`.
    static var ownConfiguration: String? {
        if let directory = absolutePath(inVariable: "XDG_CONFIG_HOME") { return directory + "/sandbox" }
        return absolutePath(inVariable: "HOME").map { $0 + "/.config/sandbox" }
    }

    private static func commonPath() -> [String] {
        ["/etc/sandbox/profiles", absolutePath(inVariable: "SANDBOX_PROFILES") ?? shippedProfiles()]
    }

    /// Beside the executable as `make install` lays it out, or in the source tree that it was built in.
    private static func shippedProfiles() -> String {
        let usual = "/usr/local/share/sandbox/profiles"
        guard var folder = OwnExecutable.path() else { return usual }
        var relative = "/share/sandbox/profiles"
        while let slash = folder.utf8.lastIndex(of: 0x2f) {
            folder = String(folder[..<slash])
            if access(folder + relative, F_OK) == 0 { return folder + relative }
            // The folder above bin/, then those above a build's.
            relative = folder.hasSuffix("/bin") ? "/share/sandbox/profiles" : "/Profiles"
        }
        return usual
    }
}

/// The bytes of a file, one more than a profile may have at most; nil when there is none.
@Sendable private func readProfile(_ path: String) throws(ProfileError) -> [UInt8]? {
    let descriptor = linux_open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK, 0)
    if descriptor < 0 {
        if errno == ENOENT || errno == ENOTDIR { return nil }
        throw unreadable(path, errno)
    }
    let file = Descriptor(descriptor)
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 16384)
    while bytes.count <= TOMLDocument.sizeLimit {
        let count = read(file.number, &buffer, buffer.count)
        if count < 0 { throw unreadable(path, errno) }
        if count == 0 { break }
        bytes.append(contentsOf: buffer[..<count])
    }
    return bytes
}

@Sendable private func listProfiles(_ directory: String) throws(ProfileError) -> [String] {
    guard let stream = opendir(directory) else {
        if errno == ENOENT || errno == ENOTDIR || errno == EACCES { return [] }
        throw unreadable(directory, errno)
    }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
        names.append(
            withUnsafePointer(to: &entry.pointee.d_name) { name in
                name.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            })
    }
    return names
}

private func unreadable(_ path: String, _ code: Int32) -> ProfileError {
    ProfileError(
        place: SourceReference(file: path), problem: "cannot be read: \(String(cString: strerror(code)))")
}
