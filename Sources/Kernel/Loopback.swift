import CLinux
import Glibc

/// Sets the loopback interface of the caller's network namespace up (netdevice(7), `SIOCSIFFLAGS`).
public func bringLoopbackUp() throws(SystemError) {
    let action = "set the loopback interface up"
    let socket = Descriptor(
        try check(action) { Glibc.socket(AF_INET, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0) })
    try check(action) { linux_loopback_up(socket.number) }
}
