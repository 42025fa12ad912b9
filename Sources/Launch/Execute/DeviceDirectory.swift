import CLinux
import Glibc
import Kernel

/// The device files that every program may expect (OCI runtime specification, "Default Devices").
enum StandardDevice: String, CaseIterable {
    case null, zero, full, random, urandom, tty

    /// Major and minor number (Linux allocated devices).
    var number: (major: UInt32, minor: UInt32) {
        switch self {
        case .null: (1, 3)
        case .zero: (1, 5)
        case .full: (1, 7)
        case .random: (1, 8)
        case .urandom: (1, 9)
        case .tty: (5, 0)
        }
    }
}

/// Opens the host's device file (O_PATH) and makes sure that it is that device and no symbolic link.
func openDevice(_ device: StandardDevice) throws(SystemError) -> Descriptor {
    let path = "/dev/\(device.rawValue)"
    let file = try Descriptor(open: path, O_PATH | O_NOFOLLOW)
    let status = try FileStatus(file.number, name: path)
    let (major, minor) = device.number
    guard status.kind == .characterDevice, status.represented == linux_makedev(major, minor) else {
        throw SystemError("take \(path) into the box", code: ENODEV, mend: "it is not the device \(major):\(minor)")
    }
    return file
}

/// A minimal /dev: standard devices, a devpts instance of its own, shm, mqueue, and the usual links.
struct DeviceDirectory {
    /// Whether the box has message queues of its own to show.
    let messageQueues: Bool

    private static let links = [
        ("fd", "/proc/self/fd"), ("stdin", "/proc/self/fd/0"), ("stdout", "/proc/self/fd/1"),
        ("stderr", "/proc/self/fd/2"), ("ptmx", "pts/ptmx"),
    ]

    /// Mounts it on `place`.
    func mount(on place: Int32) throws(SystemError) -> MountTree {
        let action = "mount a fresh /dev"
        let tree = try MountTree(
            new: "tmpfs", [("mode", "0755"), ("size", "1m")], attributes: [.nosuid, .noexec], action: action)
        let root = tree.descriptor.number
        for device in StandardDevice.allCases {
            _ = try createFile(device.rawValue, in: root, content: "", mode: 0o666, path: "/dev/\(device.rawValue)")
        }
        for (name, target) in DeviceDirectory.links {
            try check("\(action)/\(name)") { symlinkat(target, root, name) }
        }
        for name in ["pts", "shm"] + (messageQueues ? ["mqueue"] : []) {
            try check("\(action)/\(name)") { mkdirat(root, name, 0o755) }
        }
        // Taken before the new /dev may cover the old one.
        var sources: [(StandardDevice, Int32)] = []
        for device in StandardDevice.allCases { sources.append((device, try copy(device))) }
        try tree.attach(to: place, action: action)
        for (device, source) in sources { try attach(MountTree(Descriptor(source)), device.rawValue, in: root) }
        try mountTerminals(in: root)
        try attach(
            try MountTree(
                new: "tmpfs", [("mode", "1777")], attributes: [.nosuid, .nodev], action: "\(action)/shm"),
            "shm", in: root)
        if messageQueues {
            try attach(
                try MountTree(
                    new: "mqueue", attributes: [.nosuid, .nodev, .noexec], action: "\(action)/mqueue"),
                "mqueue", in: root)
        }
        return tree
    }

    private func copy(_ device: StandardDevice) throws(SystemError) -> Int32 {
        let source = try openDevice(device)
        let action = "take /dev/\(device.rawValue) into the box"
        return try MountTree(cloning: source.number, recursive: false, action: action).take()
    }

    private func mountTerminals(in root: Int32) throws(SystemError) {
        let options: [(String, String?)] = [("ptmxmode", "0666"), ("mode", "0620"), ("newinstance", nil)]
        let attributes: MountAttributes = [.nosuid, .noexec]
        // Group 5 is tty on Debian, unless a user namespace does not map it.
        if let tree = try? MountTree(
            new: "devpts", options + [("gid", "5")], attributes: attributes, action: "mount /dev/pts")
        {
            return try attach(tree, "pts", in: root)
        }
        try attach(
            try MountTree(new: "devpts", options, attributes: attributes, action: "mount /dev/pts"), "pts", in: root)
    }

    private func attach(_ tree: consuming MountTree, _ name: String, in root: Int32) throws(SystemError) {
        let place = try Descriptor(
            check("open /dev/\(name)") { linux_openat(root, name, O_PATH | O_NOFOLLOW | O_CLOEXEC, 0) })
        try tree.attach(to: place.number, action: "attach /dev/\(name)")
    }
}
