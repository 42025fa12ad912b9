import Glibc
import Kernel
import Profile

/// Writing to the standard streams with write(2), so that nothing else of the C library or Foundation wakes up.
enum Output {
    /// Writes `text` to standard output as it is.
    static func write(_ text: String) throws(SystemError) {
        try write(text, to: STDOUT_FILENO, name: "standard output")
    }

    /// Writes one line to standard output.
    static func line(_ text: String) throws(SystemError) { try write(text + "\n") }

    /// Writes a document as JSON, what a terminal would act on escaped: it can only stand inside of strings.
    static func json(_ document: Value) throws(SystemError) { try line(safe(document.json)) }

    /// The text of a JSON document, with what a terminal would act on escaped.
    static func safe(_ json: String) -> String {
        guard json.unicodeScalars.contains(where: { $0 != "\n" && isUnsafe($0) }) else { return json }
        var safe = ""
        for scalar in json.unicodeScalars {
            guard scalar != "\n", isUnsafe(scalar) else {
                safe.unicodeScalars.append(scalar)
                continue
            }
            for unit in String(scalar).utf16 {
                let digits = String(unit, radix: 16)
                safe += "\\u" + String(repeating: "0", count: 4 - digits.utf8.count) + digits
            }
        }
        return safe
    }

    /// Writes the line `sandbox: …` to standard error. Nobody is left to be told when that fails.
    static func error(_ message: String) {
        do throws(SystemError) {
            try write("sandbox: \(printable(message))\n", to: STDERR_FILENO, name: "standard error")
        } catch {}
    }

    static func write(_ text: String, to descriptor: Int32, name: String) throws(SystemError) {
        var text = text
        let failure = text.withUTF8 { bytes -> SystemError? in
            var rest = bytes[...]
            while !rest.isEmpty {
                let part = UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: rest))
                let count = Glibc.write(descriptor, part.baseAddress, part.count)
                if count < 0 && errno == EINTR { continue }
                if count < 0 { return SystemError("write to \(name)", code: errno) }
                rest = rest.dropFirst(count)
            }
            return nil
        }
        if let failure { throw failure }
    }
}
