import Glibc
import Kernel

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

/// Where a link of /proc leads; `nil` where it cannot be told.
func linkTarget(_ path: String) -> String? {
    var bytes = [CChar](repeating: 0, count: Int(PATH_MAX))
    let count = readlink(path, &bytes, bytes.count)
    return count < 0 ? nil : String(decoding: bytes.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
}
