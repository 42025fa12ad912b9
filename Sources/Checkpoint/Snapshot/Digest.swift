import CNettle

/// SHA-256 of bytes, as 64 lower-case hexadecimal digits. Of files: ``FileDigest``.
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
        return String(decoding: Digest.digits(sum[...]), as: UTF8.self)
    }

    /// Two for each byte.
    static func digits(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
        let digits: [UInt8] = Array("0123456789abcdef".utf8)
        var text: [UInt8] = []
        for byte in bytes { text += [digits[Int(byte >> 4)], digits[Int(byte & 15)]] }
        return text
    }

    public static func of(_ text: String) -> String {
        var digest = Digest()
        var text = text
        text.withUTF8 { digest.add(UnsafeRawBufferPointer($0)) }
        return digest.finish()
    }
}
