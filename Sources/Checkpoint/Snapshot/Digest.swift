import CNettle
import Glibc
public import Kernel

/// SHA-256 of bytes and files, as 64 lower-case hexadecimal digits.
public struct Digest: ~Copyable {
    private var context = sha256_ctx()

    public init() { nettle_sha256_init(&context) }

    public mutating func add(_ bytes: UnsafeRawBufferPointer) {
        guard let start = bytes.bindMemory(to: UInt8.self).baseAddress else { return }
        nettle_sha256_update(&context, bytes.count, start)
    }

    /// The digest of all bytes added; the value begins anew.
    public mutating func finish() -> String {
        var sum = [UInt8](repeating: 0, count: Int(SHA256_DIGEST_SIZE))
        nettle_sha256_digest(&context, sum.count, &sum)
        let digits: [UInt8] = Array("0123456789abcdef".utf8)
        var text: [UInt8] = []
        for byte in sum { text += [digits[Int(byte >> 4)], digits[Int(byte & 15)]] }
        return String(decoding: text, as: UTF8.self)
    }

    public static func of(_ text: String) -> String {
        var digest = Digest()
        var text = text
        text.withUTF8 { digest.add(UnsafeRawBufferPointer($0)) }
        return digest.finish()
    }

    /// The digest of an open file, from its beginning to its end, and how many bytes that were.
    public static func of(file descriptor: Int32, name: String) throws(SystemError) -> (sum: String, size: Int) {
        var digest = Digest()
        var buffer = [UInt8](repeating: 0, count: 1 << 18)
        var size = 0
        while true {
            let count = try check("read \(name)") { Int32(pread(descriptor, &buffer, buffer.count, off_t(size))) }
            if count == 0 { return (digest.finish(), size) }
            buffer.withUnsafeBytes { digest.add(UnsafeRawBufferPointer(rebasing: $0[..<Int(count)])) }
            size += Int(count)
        }
    }
}
