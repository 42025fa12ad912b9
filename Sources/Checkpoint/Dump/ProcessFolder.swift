import Glibc
public import Kernel

/// The numbers of a process's open descriptors.
func descriptorNumbers(of pid: Int32) throws(SystemError) -> [Int32] { try numbers(in: "/proc/\(pid)/fd") }

/// The entries of a directory of /proc that are numbers, sorted.
func numbers(in path: String) throws(SystemError) -> [Int32] {
    guard let folder = opendir(path) else { throw SystemError("read \(path)", code: errno) }
    defer { closedir(folder) }
    var numbers: [Int32] = []
    while let entry = readdir(folder) {
        let name = withUnsafePointer(to: &entry.pointee.d_name) {
            $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
        }
        if let number = Int32(name) { numbers.append(number) }
    }
    return numbers.sorted()
}

/// A process's state as one letter, of what has ended too; `nil` when it is gone.
func state(of pid: Int32) throws(SystemError) -> String? {
    do throws(SystemError) {
        for line in try readText("/proc/\(pid)/status").split(separator: "\n") where line.hasPrefix("State:") {
            return line.dropFirst(6).first { $0 != "\t" && $0 != " " }.map { String($0) }
        }
        return nil
    } catch {
        if error.code == ENOENT || error.code == ESRCH { return nil }
        throw error
    }
}

/// Whether a process has ended: it is gone, or its parent has not waited for it yet.
public func hasEnded(_ pid: Int32) throws(SystemError) -> Bool {
    guard let state = try state(of: pid) else { return true }
    return state == "Z" || state == "X"
}

/// The id of the mount that an open file is on; `nil` for one that was closed meanwhile.
func mountID(ofDescriptor number: Int32, of pid: Int32) throws(SystemError) -> Int? {
    let text: String
    do throws(SystemError) {
        text = try readText("/proc/\(pid)/fdinfo/\(number)")
    } catch {
        if error.code == ENOENT || error.code == ESRCH { return nil }
        throw error
    }
    for line in text.split(separator: "\n") where line.hasPrefix("mnt_id:") {
        return Int(line.dropFirst(7).drop { $0 == "\t" || $0 == " " })
    }
    return nil
}

/// Where a link of /proc leads; `nil` where it cannot be told.
func linkTarget(_ path: String) -> String? {
    var bytes = [CChar](repeating: 0, count: Int(PATH_MAX))
    let count = readlink(path, &bytes, bytes.count)
    return count < 0 ? nil : String(decoding: bytes.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
}
