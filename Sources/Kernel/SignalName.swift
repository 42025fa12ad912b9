import Glibc

/// The number of a signal by its name, with or without `SIG`, `RTMIN+N` and `RTMAX-N` included, or its number as text
/// (signal(7)); `nil` when there is none.
public func signalNumber(_ text: String) -> Int32? {
    if let number = Int32(text) { return number > 0 && number <= lastSignal ? number : nil }
    var name = text.uppercased()
    if name.hasPrefix("SIG") { name = String(name.dropFirst(3)) }
    switch name {
    // Second names of other signals, which the C library does not list.
    case "IOT": return SIGABRT
    case "CLD": return SIGCHLD
    case "IO": return SIGPOLL
    case "RTMIN": return firstRealtime
    case "RTMAX": return lastSignal
    default: break
    }
    if let offset = offset(name, "RTMIN+") { return firstRealtime + offset }
    if let offset = offset(name, "RTMAX-") { return lastSignal - offset }
    for number: Int32 in 1..<firstRealtime {
        guard let known = sigabbrev_np(number) else { continue }
        if strcmp(known, name) == 0 { return number }
    }
    return nil
}

/// A signal's name without `SIG`: "TERM", "RTMIN+3", or its number where it has none.
public func signalName(_ number: Int32) -> String {
    if number >= firstRealtime, number <= lastSignal {
        return number == firstRealtime ? "RTMIN" : "RTMIN+\(number - firstRealtime)"
    }
    guard number > 0, let name = sigabbrev_np(number) else { return "\(number)" }
    return String(cString: name)
}

/// The C library keeps the kernel's first two real-time signals for itself.
private var firstRealtime: Int32 { __libc_current_sigrtmin() }
private var lastSignal: Int32 { __libc_current_sigrtmax() }

private func offset(_ name: String, _ base: String) -> Int32? {
    guard name.hasPrefix(base) else { return nil }
    let digits = name.dropFirst(base.utf8.count)
    guard !digits.isEmpty, digits.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }), let number = Int32(digits),
        number <= lastSignal - firstRealtime
    else { return nil }
    return number
}
