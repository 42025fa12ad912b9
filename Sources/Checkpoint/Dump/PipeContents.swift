import CLinux
import Glibc
import Kernel
public import Launch

/// What is in the pipes that a process reads and that it has not read yet, without taking it out (tee(2)).
///
/// - Parameter reader: stopped, so that it reads none of it meanwhile.
/// - Parameter keys: the pipes, `pipe:[INODE]`.
public func unreadOutput(of reader: Int32, in keys: Set<String>) throws(LaunchError) -> [UInt8] {
    try LaunchError.wrap { () throws(SystemError) in
        var bytes: [UInt8] = []
        if keys.isEmpty { return bytes }
        let process = Descriptor(try check("hold process \(reader)") { linux_pidfd_open(reader, 0) })
        for number in try descriptorNumbers(of: reader) {
            guard let target = linkTarget("/proc/\(reader)/fd/\(number)"), keys.contains(target) else { continue }
            let end = Descriptor(
                try check("reach the output of process \(reader)") { linux_pidfd_getfd(process.number, number) })
            bytes += try peek(end.number)
        }
        return bytes
    }
}

private func peek(_ end: Int32) throws(SystemError) -> [UInt8] {
    let copy = try makePipe("copy unread output")
    let input = Descriptor(copy.read)
    let output = Descriptor(copy.write)
    let size = linux_fcntl(end, F_GETPIPE_SZ, 0)
    if size > 0 { _ = linux_fcntl(output.number, F_SETPIPE_SZ, size) }
    let count = linux_tee(end, output.number, 1 << 20)
    if count < 0, errno != EAGAIN { throw SystemError("copy unread output", code: errno) }
    var bytes = [UInt8](repeating: 0, count: max(0, count))
    var done = 0
    while done < bytes.count {
        let part = try check("copy unread output") {
            bytes.withUnsafeMutableBytes {
                Int32(read(input.number, $0.baseAddress?.advanced(by: done), $0.count - done))
            }
        }
        if part == 0 { break }
        done += Int(part)
    }
    return Array(bytes.prefix(done))
}
