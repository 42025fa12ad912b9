/// `text` as one line that is safe on a terminal: what could move the cursor, start an escape sequence, hide or reorder
/// text (C0, DEL, C1, bidirectional and invisible format characters, line separators) becomes `\x1b` or `\u{202e}`.
func printable(_ text: String) -> String {
    guard text.unicodeScalars.contains(where: isUnsafe) else { return text }
    var safe = ""
    for scalar in text.unicodeScalars {
        guard isUnsafe(scalar) else {
            safe.unicodeScalars.append(scalar)
            continue
        }
        switch scalar {
        case "\n": safe += "\\n"
        case "\t": safe += "\\t"
        case "\r": safe += "\\r"
        default:
            let digits = String(scalar.value, radix: 16)
            safe += scalar.value < 0x100 ? "\\x" + (digits.utf8.count < 2 ? "0" : "") + digits : "\\u{\(digits)}"
        }
    }
    return safe
}

/// Whether a terminal would act on the scalar instead of showing it (ECMA-48, UAX #9).
func isUnsafe(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0..<0x20, 0x7f..<0xa0: true
    case 0xad, 0x61c, 0x180e: true
    case 0x200b...0x200f, 0x2028...0x202e, 0x2060...0x206f: true
    case 0xfeff, 0xfff9...0xfffb, 0xe0000...0xe0fff: true
    default: false
    }
}
