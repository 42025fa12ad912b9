import Glibc

/// Times as people give them.
enum PointInTime {
    /// What is taken, for messages.
    static let forms =
        "90s, 10m, 1h30m or 2d before now, 15:04, \"2026-01-31 15:04:05\", 2026-01-31T15:04:05Z or @SECONDS"

    /// The time now, in milliseconds since the epoch.
    static var now: Int {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return time.tv_sec * 1000 + time.tv_nsec / 1_000_000
    }

    /// Milliseconds since the epoch: so long before `now`, or at a date and time, local unless an offset is given.
    static func parse(_ text: String, now: Int) -> Int? {
        if text.hasPrefix("@") { return seconds(text.dropFirst()) }
        if let duration = duration(text) { return now - duration }
        return date(text, now: now)
    }

    /// "@1700000000" or "@1700000000.25" without the sign.
    private static func seconds(_ text: Substring) -> Int? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count <= 2, let whole = number(parts[0], digits: 1...12) else { return nil }
        guard parts.count == 2 else { return whole * 1000 }
        guard let part = number(parts[1], digits: 1...9) else { return nil }
        var scale = 1
        for _ in 0..<parts[1].utf8.count { scale *= 10 }
        return whole * 1000 + part * 1000 / scale
    }

    /// "1h30m": numbers with their units, in milliseconds.
    static func duration(_ text: String) -> Int? {
        var total = 0
        var rest = text[...]
        while !rest.isEmpty {
            let digits = rest.prefix { $0.isASCII && $0.isNumber }
            rest = rest.dropFirst(digits.count)
            let unit = rest.prefix { $0.isASCII && $0.isLetter }
            rest = rest.dropFirst(unit.count)
            guard let count = number(digits, digits: 1...9), let length = units[String(unit)] else { return nil }
            total += count * length
        }
        return text.isEmpty ? nil : total
    }

    private static let units = [
        "ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000,
    ]

    private static func date(_ text: String, now: Int) -> Int? {
        var (main, offset) = splitOffset(text)
        var fraction = 0
        // As JSON documents have it: "15:04:05.264".
        if let point = main.lastIndex(of: "."), main[..<point].utf8.count > 16 {
            let digits = main[main.index(after: point)...]
            guard number(digits, digits: 3...9) != nil, let part = number(digits.prefix(3), digits: 3...3) else {
                return nil
            }
            fraction = part
            main = String(main[..<point])
        }
        var fields = tm()
        var today = time_t(now / 1000)
        localtime_r(&today, &fields)
        for form in ["%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M", "%Y-%m-%d"]
            + (offset == nil ? ["%H:%M:%S", "%H:%M"] : [])
        {
            var parsed = fields
            (parsed.tm_hour, parsed.tm_min, parsed.tm_sec, parsed.tm_isdst) = (0, 0, 0, -1)
            let isWhole = main.withCString { start in
                strptime(start, form, &parsed).map { $0.pointee == 0 } ?? false
            }
            guard isWhole else { continue }
            let (day, month) = (parsed.tm_mday, parsed.tm_mon)
            let seconds = offset == nil ? mktime(&parsed) : timegm(&parsed) - (offset ?? 0)
            // The C library makes March of 30 February.
            return day == parsed.tm_mday && month == parsed.tm_mon ? seconds * 1000 + fraction : nil
        }
        return nil
    }

    /// Takes "Z" or "+01:00" from the end of a date with a time; seconds east of Greenwich.
    private static func splitOffset(_ text: String) -> (String, Int?) {
        guard text.utf8.count > 11 else { return (text, nil) }
        if text.hasSuffix("Z") { return (String(text.dropLast()), 0) }
        let tail = text.suffix(6)
        guard let sign = tail.first, sign == "+" || sign == "-", tail.dropFirst(3).first == ":",
            let hours = number(tail.dropFirst(1).prefix(2), digits: 2...2), hours < 24,
            let minutes = number(tail.suffix(2), digits: 2...2), minutes < 60
        else { return (text, nil) }
        let seconds = hours * 3600 + minutes * 60
        return (String(text.dropLast(6)), sign == "-" ? -seconds : seconds)
    }

    private static func number(_ text: Substring, digits: ClosedRange<Int>) -> Int? {
        guard digits.contains(text.utf8.count), text.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }) else { return nil }
        return Int(text)
    }
}
