import Glibc
import Kernel

extension Output {
    /// Writes bytes to standard output as they are.
    static func write(_ bytes: some Collection<UInt8>) throws(SystemError) {
        try write(bytes, to: STDOUT_FILENO, name: "standard output")
    }

    static func write(_ bytes: some Collection<UInt8>, to file: Int32, name: String) throws(SystemError) {
        var rest = Array(bytes)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) }
            if count < 0 && errno == EINTR { continue }
            if count < 0 { throw SystemError("write to \(name)", code: errno) }
            rest = rest.dropFirst(count)
        }
    }

    /// Writes the line `sandbox: …` to standard error about what is worth knowing and no error.
    static func note(_ message: String) { error(message) }
}
