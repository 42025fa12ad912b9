import CLinux
import Glibc

/// Forbids the calling thread, and what it executes, to gain privileges by execve(2) (PR_SET_NO_NEW_PRIVS(2const)).
public func noNewPrivileges() throws(SystemError) {
    try check("forbid new privileges") { linux_prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) }
}

/// Sets whether processes of the same user may trace this one or read its memory (PR_SET_DUMPABLE(2const)).
public func setDumpable(_ dumpable: Bool) throws(SystemError) {
    try check(dumpable ? "make the process dumpable" : "make the process undumpable") {
        linux_prctl(PR_SET_DUMPABLE, dumpable ? 1 : 0, 0, 0, 0)
    }
}

/// Has the kernel send `signal` when the parent thread dies (PR_SET_PDEATHSIG(2const)); 0 for none.
///
/// A change of credentials or a set-user-ID execve(2) clears it: call it after. A parent that died before sends
/// nothing: compare getppid(2) after the call.
public func setParentDeathSignal(_ signal: Int32) throws(SystemError) {
    try check("die with the parent") { linux_prctl(PR_SET_PDEATHSIG, UInt(signal), 0, 0, 0) }
}

/// Gives the process a new, empty session keyring (keyrings(7)).
public func joinNewSessionKeyring() throws(SystemError) {
    // KEYCTL_JOIN_SESSION_KEYRING with no name: anonymous.
    try check("make a new session keyring") { linux_keyctl(1, 0, 0) }
}
