import Glibc

/// Reads a whole small file, /proc's included.
public func readText(_ path: String) throws(SystemError) -> String {
    let file = try Descriptor(open: path, O_RDONLY)
    return try readText(file.number, name: path)
}

/// Reads an open file to its end; EFBIG when it has more than `limit` bytes.
public func readText(
    _ descriptor: Int32, name: @autoclosure () -> String, atMost limit: Int = .max, partsOf size: Int = 16384
) throws(SystemError) -> String {
    String(decoding: try readBytes(descriptor, name: name(), atMost: limit, partsOf: size), as: UTF8.self)
}

/// Reads an open file to its end; EFBIG when it has more than `limit` bytes.
/// - Parameter size: bytes that are asked for at once.
public func readBytes(
    _ descriptor: Int32, name: @autoclosure () -> String, atMost limit: Int = .max, partsOf size: Int = 16384
) throws(SystemError) -> [UInt8] {
    var bytes: [UInt8] = []
    while true {
        let part = try readPart(descriptor, name(), size)
        if part.isEmpty { return bytes }
        if bytes.isEmpty { bytes = part } else { bytes += part }
        if bytes.count > limit { throw SystemError("read \(name())", code: EFBIG) }
    }
}

private func readPart(
    _ descriptor: Int32, _ name: @autoclosure () -> String, _ size: Int
) throws(SystemError) -> [UInt8] {
    var failure: SystemError?
    let part = [UInt8](unsafeUninitializedCapacity: size) { buffer, filled in
        do throws(SystemError) {
            filled = Int(try check("read \(name())") { Int32(read(descriptor, buffer.baseAddress, buffer.count)) })
        } catch {
            failure = error
        }
    }
    if let failure { throw failure }
    return part
}

/// Writes `text` in one write(2) to an existing file, as the kernel's control files want it.
public func writeText(_ text: String, to path: String) throws(SystemError) {
    let file = try Descriptor(open: path, O_WRONLY)
    try writeText(text, to: file.number, name: path)
}

/// Writes `text` in one write(2) to an open file.
public func writeText(_ text: String, to descriptor: Int32, name: String) throws(SystemError) {
    var text = text
    let count = text.utf8.count
    let written = try check("write \(name)") {
        text.withUTF8 { bytes in Int32(write(descriptor, bytes.baseAddress, bytes.count)) }
    }
    if Int(written) != count { throw SystemError("write \(name)", code: EIO) }
}

/// Writes all bytes to an open file.
public func writeBytes(_ bytes: [UInt8], to file: Int32, name: String) throws(SystemError) {
    var done = 0
    while done < bytes.count {
        let count = try check("write \(name)") {
            bytes.withUnsafeBytes {
                Int32(write(file, $0.baseAddress?.advanced(by: done), min($0.count - done, 1 << 20)))
            }
        }
        done += Int(count)
    }
}

/// A number's digits, as `String(number)` has them. That lies on a page that a launch executes nothing else of: 4 µs.
public func decimalDigits(_ number: UInt64) -> String {
    String(unsafeUninitializedCapacity: 20) { text in
        var (count, rest) = (1, number / 10)
        while rest > 0 { (count, rest) = (count + 1, rest / 10) }
        rest = number
        for place in stride(from: count - 1, through: 0, by: -1) {
            text[place] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
            rest /= 10
        }
        return count
    }
}

/// What a variable of the environment holds where that is an absolute path (environ(7)).
public func absolutePath(inVariable name: String) -> String? {
    guard let value = getenv(name), value.pointee == CChar(UInt8(ascii: "/")) else { return nil }
    return String(cString: value)
}
