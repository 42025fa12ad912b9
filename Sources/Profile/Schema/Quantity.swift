/// Texts that stand for numbers.
enum Quantity {
    /// "512M": digits and a binary unit (K, M, G, T; KiB and the like too).
    static func size(_ text: String) -> UInt64? {
        var digits = Substring(text)
        if digits.hasSuffix("iB") { digits = digits.dropLast(2) } else if digits.hasSuffix("B") { return nil }
        var shift: UInt64 = 0
        switch digits.last {
        case "K", "k": shift = 10
        case "M", "m": shift = 20
        case "G", "g": shift = 30
        case "T", "t": shift = 40
        default: break
        }
        if shift > 0 { digits = digits.dropLast() }
        guard let number = plain(digits) else { return nil }
        let (bytes, overflow) = number.multipliedReportingOverflow(by: 1 << shift)
        // An unlimited number would be read as RLIM_INFINITY or wrap in a control group.
        return overflow || bytes > UInt64(Int64.max) ? nil : bytes
    }

    static func size(_ value: Value) -> UInt64? {
        switch value {
        case .integer(let number): number >= 0 ? UInt64(number) : nil
        case .string(let text): size(text)
        default: nil
        }
    }

    /// Milliseconds: "100ms", "2s", "5m", "1h"; a bare number is seconds.
    static func duration(_ value: Value) -> Int? {
        var digits: Substring
        var unit = 1000
        switch value {
        case .integer(let number): digits = Substring(String(number))
        case .string(let text): digits = Substring(text)
        default: return nil
        }
        for (suffix, size) in [("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000)] where digits.hasSuffix(suffix) {
            unit = size
            digits = digits.dropLast(suffix.utf8.count)
            break
        }
        guard let number = plain(digits).flatMap({ Int(exactly: $0) }) else { return nil }
        let (milliseconds, overflow) = number.multipliedReportingOverflow(by: unit)
        return overflow ? nil : milliseconds
    }

    /// The shortest text for a duration that is not negative.
    static func durationText(_ milliseconds: Int) -> String {
        for (suffix, size) in [("h", 3_600_000), ("m", 60_000), ("s", 1000)]
        where milliseconds >= size && milliseconds % size == 0 {
            return "\(milliseconds / size)\(suffix)"
        }
        return milliseconds == 0 ? "0s" : "\(milliseconds)ms"
    }

    /// Digits only.
    static func plain(_ text: Substring) -> UInt64? {
        guard !text.isEmpty, text.utf8.allSatisfy({ $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }) else {
            return nil
        }
        return UInt64(text)
    }

    /// A setrlimit(2) pair; nil when the value is none. One value is both, soft and hard.
    static func limit(_ value: Value) -> Profile.Limit? {
        switch value {
        case .integer(let number):
            guard number >= 0 else { return nil }
            return Profile.Limit(soft: UInt64(number), hard: UInt64(number))
        case .string(let text):
            guard let colon = text.firstIndex(of: ":") else {
                guard let bound = bound(.string(text)) else { return nil }
                return Profile.Limit(soft: bound.bytes, hard: bound.bytes)
            }
            let soft = bound(.string(String(text[..<colon])))
            let hard = bound(.string(String(text[text.index(after: colon)...])))
            guard let soft, let hard else { return nil }
            return Profile.Limit(soft: soft.bytes, hard: hard.bytes)
        case .table:
            guard let soft = value["soft"].flatMap(bound), let hard = value["hard"].flatMap(bound) else { return nil }
            return Profile.Limit(soft: soft.bytes, hard: hard.bytes)
        default: return nil
        }
    }

    /// One side of a limit; `bytes` is nil for unlimited.
    static func bound(_ value: Value) -> (bytes: UInt64?, Void)? {
        if case .string("unlimited") = value { return (nil, ()) }
        guard let size = size(value) else { return nil }
        return (size, ())
    }

    /// A soft limit above the hard one is refused by the kernel.
    static func isOrdered(_ limit: Profile.Limit) -> Bool {
        guard let hard = limit.hard else { return true }
        guard let soft = limit.soft else { return false }
        return soft <= hard
    }

    /// 64 bits: an integer, or text in decimal or hexadecimal.
    static func word(_ value: Value) -> UInt64? {
        switch value {
        case .integer(let number): return number >= 0 ? UInt64(number) : nil
        case .string(let text):
            if text.hasPrefix("0x") { return text.hasPrefix("0x+") ? nil : UInt64(text.dropFirst(2), radix: 16) }
            return plain(Substring(text))
        default: return nil
        }
    }

    /// "INSIDE OUTSIDE COUNT", or a list of the three.
    static func idRange(_ value: Value) -> Profile.IDRange? {
        var numbers: [UInt32] = []
        switch value {
        case .string(let text):
            for word in text.split(separator: " ") {
                guard let number = plain(word), number <= UInt64(UInt32.max) else { return nil }
                numbers.append(UInt32(number))
            }
        case .array(let items):
            for item in items {
                guard case .integer(let number) = item, number >= 0, number <= Int(UInt32.max) else { return nil }
                numbers.append(UInt32(number))
            }
        default: return nil
        }
        guard numbers.count == 3, numbers[2] > 0 else { return nil }
        // The last id, 4294967295, stands for "none" (user_namespaces(7)).
        let top = UInt64(UInt32.max)
        guard UInt64(numbers[0]) + UInt64(numbers[2]) <= top, UInt64(numbers[1]) + UInt64(numbers[2]) <= top else {
            return nil
        }
        return Profile.IDRange(inside: numbers[0], outside: numbers[1], count: numbers[2])
    }

    /// What meets a denied call: a word, an errno name, or `{ errno = … }`.
    static func action(_ value: Value) -> Profile.SeccompAction? {
        switch value {
        case .string("kill"): return .kill
        case .string("log"): return .log
        case .string("allow"): return .allow
        case .string("trap"): return .trap
        case .string(let name): return Names.errnos.contains(name) ? .errno(name) : nil
        case .table(let entries):
            guard entries.count == 1 else { return nil }
            switch value["errno"] {
            case .string(let name): return Names.errnos.contains(name) ? .errno(name) : nil
            // MAX_ERRNO of the kernel; a filter cannot return more.
            case .integer(let number): return (1...4095).contains(number) ? .errno(String(number)) : nil
            default: return nil
            }
        default: return nil
        }
    }
}

/// A list of CPUs as cpuset(7) writes it.
enum CPUList {
    static func isValid(_ text: String) -> Bool {
        guard !text.isEmpty else { return false }
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let ends = part.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
            var last: UInt64?
            for end in ends {
                guard let cpu = Quantity.plain(end), cpu < 8192, cpu >= last ?? 0 else { return false }
                last = cpu
            }
        }
        return true
    }
}
