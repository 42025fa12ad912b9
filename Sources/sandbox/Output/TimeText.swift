import Glibc
import Profile

/// Points in time as commands print and take them: milliseconds since the epoch.
enum TimeText {
    /// ISO 8601 in UTC with milliseconds, as JSON documents have it: `2026-11-23T23:50:15.264Z`.
    static func iso(_ milliseconds: Int) -> String {
        var seconds = milliseconds / 1000
        var fraction = milliseconds % 1000
        if fraction < 0 { (seconds, fraction) = (seconds - 1, fraction + 1000) }
        var parts = tm()
        gmtime_r(&seconds, &parts)
        return "\(pad(Int(parts.tm_year) + 1900, 4))-\(pad(Int(parts.tm_mon) + 1, 2))-\(pad(Int(parts.tm_mday), 2))T"
            + "\(clock(parts)).\(pad(fraction, 3))Z"
    }

    /// The caller's date and time: `2026-11-23 23:50:15`.
    static func local(_ milliseconds: Int) -> String {
        var seconds = milliseconds / 1000
        var parts = tm()
        localtime_r(&seconds, &parts)
        return "\(pad(Int(parts.tm_year) + 1900, 4))-\(pad(Int(parts.tm_mon) + 1, 2))-\(pad(Int(parts.tm_mday), 2)) "
            + clock(parts)
    }

    /// How long ago, in the largest unit that fits: `3 minutes ago`.
    static func ago(_ milliseconds: Int, now: Int) -> String {
        let seconds = max(0, now - milliseconds) / 1000
        if seconds < 1 { return "just now" }
        for (unit, size) in [("day", 86400), ("hour", 3600), ("minute", 60)] where seconds >= 2 * size {
            return "\(seconds / size) \(unit)s ago"
        }
        return seconds == 1 ? "1 second ago" : "\(seconds) seconds ago"
    }

    static var now: Int {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return time.tv_sec * 1000 + time.tv_nsec / 1_000_000
    }

    /// Reads a point in time: ISO 8601 (`2026-11-23`, `2026-11-23T23:50:15.264Z`, with an offset such as `+01:00`; the
    /// caller's time zone without one), seconds since the epoch with `@` in front, or how long ago, as in `10m`.
    static func parse(_ text: String, now: Int) -> Int? {
        if text == "now" { return now }
        if text.hasPrefix("@") {
            guard let seconds = Double(text.dropFirst()), seconds.isFinite, seconds.magnitude < 1e12 else { return nil }
            return Int(seconds * 1000)
        }
        if let ago = duration(text) { return now >= ago ? now - ago : 0 }
        var scan = Scan(text)
        return scan.time()
    }

    /// Milliseconds of `10`, `1.5` (seconds), `500ms`, `10s`, `5m`, `2h` or `7d`.
    static func duration(_ text: String) -> Int? {
        guard let first = text.utf8.first, first >= 0x30, first <= 0x39 else { return nil }
        let units = [("ms", 1.0), ("s", 1000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)]
        let unit = units.first { text.hasSuffix($0.0) } ?? ("", 1000)
        let digits = text.dropLast(unit.0.utf8.count)
        guard digits.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 || $0 == 0x2e }), let number = Double(digits),
            number * unit.1 < 1e15
        else { return nil }
        return Int(number * unit.1)
    }

    private static func clock(_ parts: tm) -> String {
        "\(pad(Int(parts.tm_hour), 2)):\(pad(Int(parts.tm_min), 2)):\(pad(Int(parts.tm_sec), 2))"
    }

    private static func pad(_ number: Int, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
    }
}

/// Reads ISO 8601.
private struct Scan {
    private var rest: Substring

    init(_ text: String) { rest = Substring(text) }

    mutating func time() -> Int? {
        var parts = tm()
        guard let year = digits(4), take("-"), let month = digits(2), take("-"), let day = digits(2),
            (1...12).contains(month), (1...31).contains(day)
        else { return nil }
        (parts.tm_year, parts.tm_mon, parts.tm_mday) = (Int32(year - 1900), Int32(month - 1), Int32(day))
        var fraction = 0
        if take("T") || take(" ") {
            guard let hour = digits(2), take(":"), let minute = digits(2), hour < 24, minute < 60 else { return nil }
            (parts.tm_hour, parts.tm_min) = (Int32(hour), Int32(minute))
            if take(":") {
                guard let second = digits(2), second <= 60 else { return nil }
                parts.tm_sec = Int32(second)
                if take(".") {
                    guard let value = milliseconds() else { return nil }
                    fraction = value
                }
            }
        }
        guard let offset = offset() else { return nil }
        parts.tm_isdst = -1
        let asked = (parts.tm_mon, parts.tm_mday)
        let seconds = offset.seconds.map { timegm(&parts) - $0 } ?? mktime(&parts)
        // February 30 would be read as a day of March.
        return asked == (parts.tm_mon, parts.tm_mday) ? seconds * 1000 + fraction : nil
    }

    /// Seconds east of UTC; `nil` inside for the caller's time zone.
    private mutating func offset() -> (seconds: Int?, Void)? {
        if rest.isEmpty { return (nil, ()) }
        if take("Z") { return rest.isEmpty ? (0, ()) : nil }
        let sign = take("+") ? 1 : take("-") ? -1 : 0
        guard sign != 0, let hours = digits(2), hours < 24 else { return nil }
        _ = take(":")
        guard rest.isEmpty else {
            guard let minutes = digits(2), minutes < 60, rest.isEmpty else { return nil }
            return (sign * (hours * 3600 + minutes * 60), ())
        }
        return (sign * hours * 3600, ())
    }

    private mutating func milliseconds() -> Int? {
        let count = rest.utf8.prefix { $0 >= 0x30 && $0 <= 0x39 }.count
        guard count > 0 else { return nil }
        let text = rest.prefix(count)
        rest = rest.dropFirst(count)
        return Int((text + "00").prefix(3))
    }

    private mutating func digits(_ count: Int) -> Int? {
        let text = rest.prefix(count)
        guard text.utf8.count == count, text.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }) else { return nil }
        rest = rest.dropFirst(count)
        return Int(text)
    }

    private mutating func take(_ character: Character) -> Bool {
        guard rest.first == character else { return false }
        rest = rest.dropFirst()
        return true
    }
}
