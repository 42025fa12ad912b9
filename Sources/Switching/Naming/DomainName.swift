/// Names of the DNS (RFC 1035), `_` let in.
enum DomainName {
    /// Labels of letters, digits, `-` and `_`, at most 63 each, 200 in all: there is room for a host's name before it.
    static func isValid(_ name: String) -> Bool {
        if name.utf8.count > 200 { return false }
        return name.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { label in
            guard (1...63).contains(label.utf8.count), !label.hasPrefix("-"), !label.hasSuffix("-") else {
                return false
            }
            return label.utf8.allSatisfy { byte in
                switch byte {
                case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x5f, 0x2d: true
                default: false
                }
            }
        }
    }
}
