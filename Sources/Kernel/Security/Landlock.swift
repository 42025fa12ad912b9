import CLinux
import Glibc

/// The version of the kernel's Landlock interface (landlock(7)).
public enum LandlockABI {
    /// 1 and up; 0 when the kernel has no Landlock or it is switched off.
    public static func current() throws(SystemError) -> Int {
        let version = linux_landlock_abi()
        if version >= 0 { return Int(version) }
        let code = errno
        if code == ENOSYS || code == EOPNOTSUPP { return 0 }
        throw SystemError("ask for Landlock's version", code: code)
    }

    /// The Linux release that brought a version.
    static func kernel(_ version: Int) -> String {
        switch version {
        case ...1: "5.13"
        case 2: "5.19"
        case 3: "6.2"
        case 4: "6.7"
        case 5: "6.10"
        default: "6.12"
        }
    }
}

/// Rights to files (LANDLOCK_ACCESS_FS_* of landlock(7)).
public struct LandlockAccess: OptionSet, Sendable, Hashable {
    public let rawValue: UInt64

    public init(rawValue: UInt64) { self.rawValue = rawValue }

    public static let execute = LandlockAccess(rawValue: 1 << 0)
    public static let writeFile = LandlockAccess(rawValue: 1 << 1)
    public static let readFile = LandlockAccess(rawValue: 1 << 2)
    public static let readDirectory = LandlockAccess(rawValue: 1 << 3)
    public static let removeDirectory = LandlockAccess(rawValue: 1 << 4)
    public static let removeFile = LandlockAccess(rawValue: 1 << 5)
    public static let makeCharacterDevice = LandlockAccess(rawValue: 1 << 6)
    public static let makeDirectory = LandlockAccess(rawValue: 1 << 7)
    public static let makeFile = LandlockAccess(rawValue: 1 << 8)
    public static let makeSocket = LandlockAccess(rawValue: 1 << 9)
    public static let makeFIFO = LandlockAccess(rawValue: 1 << 10)
    public static let makeBlockDevice = LandlockAccess(rawValue: 1 << 11)
    public static let makeSymbolicLink = LandlockAccess(rawValue: 1 << 12)
    /// Linking or renaming across directories; version 2.
    public static let refer = LandlockAccess(rawValue: 1 << 13)
    /// Version 3.
    public static let truncate = LandlockAccess(rawValue: 1 << 14)
    /// ioctl(2) on devices; version 5.
    public static let ioctlDevice = LandlockAccess(rawValue: 1 << 15)

    public static let read: LandlockAccess = [.readFile, .readDirectory]
    public static let readOnly: LandlockAccess = [.execute, .read]
    /// Everything but making devices.
    public static let readWrite: LandlockAccess = [
        .readOnly, .writeFile, .removeDirectory, .removeFile, .makeDirectory, .makeFile, .makeSocket, .makeFIFO,
        .makeSymbolicLink, .refer, .truncate, .ioctlDevice,
    ]
    public static let full: LandlockAccess = [.readWrite, .makeCharacterDevice, .makeBlockDevice]
    /// Device nodes, such as those of /dev, without making or removing any: `readOnly` cannot even write to /dev/null.
    public static let device: LandlockAccess = [.read, .writeFile, .truncate, .ioctlDevice]
    /// What a rule on something that is no directory may hold.
    public static let file: LandlockAccess = [.execute, .writeFile, .readFile, .truncate, .ioctlDevice]

    /// The rights that a version of the interface knows.
    static func known(by version: Int) -> LandlockAccess {
        switch version {
        case ...0: []
        case 1: LandlockAccess(rawValue: 1 << 13 - 1)
        case 2: LandlockAccess(rawValue: 1 << 14 - 1)
        case 3, 4: LandlockAccess(rawValue: 1 << 15 - 1)
        default: .full
        }
    }
}

/// What must not leave the box (LANDLOCK_SCOPE_*); version 6.
public struct LandlockScope: OptionSet, Sendable, Hashable {
    public let rawValue: UInt64

    public init(rawValue: UInt64) { self.rawValue = rawValue }

    /// Connections to abstract UNIX sockets made outside.
    public static let abstractUnixSocket = LandlockScope(rawValue: 1)
    /// Signals to processes outside.
    public static let signal = LandlockScope(rawValue: 2)
}
