import CLinux
import Glibc
public import Kernel

/// Opens a socket (socket(2)) in the network namespace behind a descriptor, the namespace's own or a process's
/// (pidfd_open(2)): close-on-exec, and the calling thread stays where it is.
///
/// - Parameter home: a descriptor of the network namespace that the calling thread is in, which spares opening it.
public func openSocket(
    in namespace: Int32, from home: Int32? = nil, _ family: Int32, _ type: Int32, _ protocol: Int32
) throws(SystemError) -> Descriptor {
    Descriptor(
        try check("open a socket in another network namespace") {
            linux_socket_in(namespace, home ?? -1, family, type, `protocol`)
        })
}

/// Writes a setting of the network namespace behind a descriptor (/proc/sys/net, sysctl(8)).
///
/// - Parameter name: below /proc/sys/net: `ipv4/ip_forward`.
public func setNetworkSetting(_ name: String, _ value: String, in namespace: Int32) throws(SystemError) {
    let path = "/proc/sys/net/\(name)"
    let file = Descriptor(
        try check("open \(path) of another network namespace") { linux_open_in(namespace, path, O_WRONLY) })
    try writeText(value, to: file.number, name: path)
}

/// What a setting of the network namespace behind a descriptor is (/proc/sys/net, sysctl(8)), without the line feed.
public func networkSetting(_ name: String, in namespace: Int32) throws(SystemError) -> String {
    let path = "/proc/sys/net/\(name)"
    let file = Descriptor(
        try check("open \(path) of another network namespace") { linux_open_in(namespace, path, O_RDONLY) })
    let text = try readText(file.number, name: path)
    return text.hasSuffix("\n") ? String(text.dropLast()) : text
}
