/// Numbers as tables show them.
enum Figures {
    /// Bytes in at most five columns, in powers of 1024 as the profile language counts: `512`, `1.5K`, `340M`.
    static func bytes(_ count: UInt64) -> String {
        if count < 1000 { return "\(count)" }
        var value = Double(count)
        for unit in ["K", "M", "G", "T", "P", "E"] {
            value /= 1024
            // What would be rounded to 10.0 needs no decimal, what would be rounded to 1000 a greater unit.
            if value < 9.95 { return decimal(value) + unit }
            if value < 999.5 { return "\(Int(value.rounded()))" + unit }
        }
        return "\(Int(value.rounded()))E"
    }

    /// Bytes per second; `-` for what is not known.
    static func rate(_ perSecond: Double?) -> String { perSecond.map { bytes(UInt64($0.rounded())) } ?? "-" }

    /// A share in percent with one decimal, without one from 1000 on.
    static func percent(_ share: Double?) -> String {
        guard let share else { return "-" }
        let value = share * 100
        return value < 999.95 ? decimal(value) : "\(Int(value.rounded()))"
    }

    /// One decimal.
    static func decimal(_ value: Double) -> String {
        let tenths = Int((value * 10).rounded())
        return "\(tenths / 10).\(tenths % 10)"
    }

    /// CPU time given in microseconds: `0.42s`, `12.3s`, `4m02s`, `3h07m`, `2d05h`.
    static func time(_ microseconds: UInt64) -> String {
        let seconds = Double(microseconds) / 1e6
        if seconds < 9.995 {
            let hundredths = Int((seconds * 100).rounded())
            return "\(hundredths / 100).\(pad(hundredths % 100))s"
        }
        if seconds < 59.95 { return decimal(seconds) + "s" }
        let whole = Int(seconds.rounded())
        if whole < 3600 { return "\(whole / 60)m\(pad(whole % 60))s" }
        if whole < 86400 { return "\(whole / 3600)h\(pad(whole / 60 % 60))m" }
        return "\(whole / 86400)d\(pad(whole / 3600 % 24))h"
    }

    private static func pad(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
}
