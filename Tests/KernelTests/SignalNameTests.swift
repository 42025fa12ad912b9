import Glibc
import Testing

@testable import Kernel

@Suite("Signals by name")
struct SignalNameTests {
    @Test("with and without SIG, in any case, by number, counted from the ends of the real-time ones")
    func numbers() {
        let known: [(String, Int32)] = [
            ("TERM", SIGTERM), ("SIGTERM", SIGTERM), ("sigkill", SIGKILL), ("usr1", SIGUSR1), ("9", 9), ("64", 64),
            ("POLL", SIGPOLL), ("IO", SIGPOLL), ("IOT", SIGABRT), ("CLD", SIGCHLD), ("STKFLT", 16), ("RTMIN", 34),
            ("RTMIN+0", 34), ("SIGRTMIN+3", 37), ("rtmax-1", 63), ("RTMAX", 64), ("RTMIN+30", 64), ("RTMAX-30", 34),
        ]
        for (text, number) in known { #expect(signalNumber(text) == number, "\(text)") }
    }

    @Test(
        "what is none",
        arguments: ["", "SIG", "0", "65", "-9", "TERMX", "RTMIN+31", "RTMIN+", "RTMIN+-1", "RTMIN-1", "9 "])
    func none(text: String) { #expect(signalNumber(text) == nil) }

    @Test("every number's name is that number's") func names() {
        for number: Int32 in 1...64 { #expect(signalNumber(signalName(number)) == number, "\(signalName(number))") }
        #expect(signalName(SIGTERM) == "TERM")
        #expect(signalName(37) == "RTMIN+3")
        #expect(signalName(0) == "0" && signalName(99) == "99")
    }
}
