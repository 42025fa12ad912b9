import Glibc

/// The words of a control file such as cgroup.controllers.
func controlWords(_ text: String) -> [String] {
    text.split { $0 == " " || $0 == "\n" || $0 == "\t" }.map { String($0) }
}

extension [String] {
    /// The word after `name`, as in "populated 0".
    func pair(_ name: String) -> String? {
        firstIndex(of: name).flatMap { $0 + 1 < count ? self[$0 + 1] : nil }
    }
}

/// The groups right below a group whose names begin with `mark`, or all; none when it is gone.
func groupsBelow(_ path: String, beginningWith mark: Unicode.Scalar? = nil) throws(SystemError) -> [String] {
    guard let stream = opendir(path) else {
        if errno == ENOENT { return [] }
        throw SystemError("open \(path)", code: errno)
    }
    defer { closedir(stream) }
    var found: [String] = []
    while true {
        errno = 0
        guard let entry = readdir(stream) else {
            if errno != 0, errno != ENOENT { throw SystemError("read \(path)", code: errno) }
            return found
        }
        guard entry.pointee.d_type == UInt8(DT_DIR) else { continue }
        // Among hundreds of groups only those asked for become strings.
        if let mark, UInt32(UInt8(bitPattern: entry.pointee.d_name.0)) != mark.value { continue }
        let name = withUnsafePointer(to: &entry.pointee.d_name) { field in
            field.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
        }
        if name != ".", name != ".." { found.append(path + "/" + name) }
    }
}

func groupAbove(_ path: String) -> String {
    path.lastIndex(of: "/").map { String(path[..<$0]) } ?? path
}

public func pauseBriefly(microseconds: UInt32) { _ = usleep(microseconds) }
