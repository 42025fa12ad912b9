import Glibc

/// Points in time, milliseconds since the epoch, as commands print them; ``PointInTime`` reads them.
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

    private static func clock(_ parts: tm) -> String {
        "\(pad(Int(parts.tm_hour), 2)):\(pad(Int(parts.tm_min), 2)):\(pad(Int(parts.tm_sec), 2))"
    }

    private static func pad(_ number: Int, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
    }
}
