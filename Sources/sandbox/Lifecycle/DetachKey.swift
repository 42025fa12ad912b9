/// The key that leaves an attached terminal to itself.
struct DetachKey: Equatable {
    /// What the key sends; `nil` for no key at all.
    let byte: UInt8?
    /// As people write it.
    let name: String

    /// `ctrl-]`, `ctrl-a`, `^a`, a character of its own, or `none`; `nil` for what is none of these.
    init?(_ text: String) {
        if text == "none" {
            (byte, name) = (nil, text)
            return
        }
        let bytes = Array(text.utf8)
        if bytes.count == 1, (0x21..<0x7f).contains(bytes[0]) {
            (byte, name) = (bytes[0], text)
            return
        }
        let isControl = text.lowercased().hasPrefix("ctrl-") ? bytes.count == 6 : bytes.count == 2 && bytes[0] == 0x5e
        guard isControl, let last = bytes.last else { return nil }
        // ASCII's control characters are its letters, and what stands around them, less 64.
        let upper = (0x61...0x7a).contains(last) ? last - 0x20 : last
        guard (0x40...0x5f).contains(upper) else { return nil }
        byte = upper - 0x40
        name = "ctrl-" + String(UnicodeScalar(last)).lowercased()
    }
}
