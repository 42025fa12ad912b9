import CLinux
import Glibc

/// Files by their paths, for fixtures.
enum Files {
    static func read(_ path: String) -> String? {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = Glibc.read(file, &buffer, buffer.count)
            if count < 0 { return nil }
            if count == 0 { return String(decoding: bytes, as: UTF8.self) }
            bytes.append(contentsOf: buffer[..<count])
        }
    }

    static func bytes(_ path: String) -> [UInt8] { Array((read(path) ?? "").utf8) }

    static func write(_ content: String, to path: String, mode: mode_t = 0o644) throws {
        let file = linux_open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode)
        guard file >= 0 else { throw Failure("create \(path)") }
        defer { close(file) }
        var rest = Array(content.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) }
            guard count > 0 else { throw Failure("write \(path)") }
            rest = rest.dropFirst(count)
        }
        guard fchmod(file, mode) == 0 else { throw Failure("chmod \(path)") }
    }

    static func makeDirectory(_ path: String, mode: mode_t = 0o755) throws {
        guard mkdir(path, mode) == 0 || errno == EEXIST else { throw Failure("mkdir \(path)") }
        guard chmod(path, mode) == 0 else { throw Failure("chmod \(path)") }
    }

    static func makeLink(_ path: String, to target: String) throws {
        guard symlink(target, path) == 0 else { throw Failure("symlink \(path)") }
    }

    /// Whether anything has that name, dangling symbolic links included.
    static func exists(_ path: String) -> Bool {
        var status = stat()
        return lstat(path, &status) == 0
    }

    static func linkTarget(_ path: String) -> String? {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = readlink(path, &buffer, buffer.count)
        return count < 0 ? nil : String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    static func list(_ path: String) -> [String] {
        guard let directory = opendir(path) else { return [] }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != "." && name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    static func canExecute(_ path: String) -> Bool { access(path, X_OK) == 0 }
}

/// A fixture that could not be made: what was tried and the kernel's reason.
struct Failure: Error, CustomStringConvertible {
    let description: String

    init(_ action: String, code: Int32 = errno) {
        description = "\(action): \(String(cString: strerror(code)))"
    }

    init(saying text: String) { description = text }
}
