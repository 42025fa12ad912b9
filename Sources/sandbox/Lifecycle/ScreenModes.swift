/// What a program has switched on in a terminal, so that it can be switched off when somebody goes away from it: the
/// alternate screen, mouse reports and their like (xterm's private modes, CSI ? N h).
struct ScreenModes {
    private var changed: [Int] = []
    /// The sequence that is being read: nothing, ESC, ESC [, or ESC [ ? with numbers.
    private var state = State.text
    private var numbers: [Int] = [0]

    private enum State { case text, escape, bracket, numbers }

    /// Modes that are worth it, with the state that a terminal begins in: cursor keys, wrapping, the cursor, mouse,
    /// focus, alternate screens, pasting.
    private static let usual: [Int: Bool] = [
        1: false, 7: true, 25: true, 1000: false, 1002: false, 1003: false, 1004: false, 1005: false, 1006: false,
        1015: false, 47: false, 1047: false, 1049: false, 2004: false,
    ]

    /// Learns from a piece of output.
    mutating func observe(_ bytes: [UInt8]) {
        for byte in bytes { observe(byte) }
    }

    private mutating func observe(_ byte: UInt8) {
        switch (state, byte) {
        case (_, 0x1b): state = .escape
        case (.escape, UInt8(ascii: "[")): state = .bracket
        case (.bracket, UInt8(ascii: "?")):
            state = .numbers
            numbers = [0]
        case (.numbers, 0x30...0x39):
            let last = numbers.count - 1
            numbers[last] = min(numbers[last] * 10 + Int(byte - 0x30), 99_999)
        case (.numbers, UInt8(ascii: ";")): if numbers.count < 16 { numbers.append(0) }
        case (.numbers, UInt8(ascii: "h")): set(true)
        case (.numbers, UInt8(ascii: "l")): set(false)
        default: state = .text
        }
    }

    private mutating func set(_ isOn: Bool) {
        state = .text
        for number in numbers {
            guard let usual = ScreenModes.usual[number] else { continue }
            changed.removeAll { $0 == number }
            if isOn != usual { changed.append(number) }
        }
    }

    /// What makes it all as it was, the last change first, with plain style.
    var undoing: String {
        var text = ""
        for number in changed.reversed() { text += "\u{1b}[?\(number)\(ScreenModes.usual[number] == true ? "h" : "l")" }
        return text + "\u{1b}[0m"
    }
}
