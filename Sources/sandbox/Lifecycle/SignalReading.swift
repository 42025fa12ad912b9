import CLinux
import Glibc

/// The next signal that a signalfd(2) tells of; `nil` when there is none now.
func nextSignal(_ descriptor: Int32) -> Int32? {
    var info = signalfd_siginfo()
    let size = MemoryLayout<signalfd_siginfo>.size
    return read(descriptor, &info, size) == size ? Int32(bitPattern: info.ssi_signo) : nil
}

/// Ends this process as the signal does by itself, whatever the language's runtime has set up for it.
func end(by number: Int32) {
    signal(number, SIG_DFL)
    raise(number)
}

/// Whether the caller was started with a signal ignored, by nohup(1) and their like: what is blocked comes even so.
func isIgnored(_ signal: Int32) -> Bool {
    var action = sigaction()
    guard sigaction(signal, nil, &action) == 0 else { return false }
    return unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self)
}
