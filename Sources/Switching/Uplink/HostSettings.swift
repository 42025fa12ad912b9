import Glibc
import Kernel
import Netlink

/// Settings of the host's network (sysctl(8)) that are others while switches need them: what they were is kept in a file
/// of the state directory, written before they are changed.
struct HostSettings: ~Copyable {
    private let folder: StateFolder
    /// A descriptor of the host's network namespace.
    private let host: Int32

    static let file = "host-settings"

    init(_ state: StateDirectory, host: Int32) throws(SystemError) {
        folder = try state.open()
        self.host = host
    }

    /// Changes one, below /proc/sys/net.
    /// - Returns: whether it was another.
    func change(_ setting: String, to value: String) throws(SystemError) -> Bool {
        let before = try networkSetting(setting, in: host)
        if before == value { return false }
        var kept = try self.kept()
        if !kept.contains(where: { $0.setting == setting }) {
            kept.append((setting, before))
            try folder.write(HostSettings.file, HostSettings.text(kept))
        }
        CrashPoint.pass("keep setting")
        try setNetworkSetting(setting, value, in: host)
        return true
    }

    var isEmpty: Bool {
        get throws(SystemError) { try kept().isEmpty }
    }

    /// The interfaces that forward for our sake.
    func interfaces() throws(SystemError) -> Set<String> {
        Set(try kept().compactMap { $0.setting.split(separator: "/").dropFirst(2).first.map { String($0) } })
    }

    /// Puts all back as they were. Those of interfaces that are gone are gone with them.
    func restore() throws(SystemError) {
        for (setting, value) in try kept() {
            do throws(SystemError) {
                // Since then somebody has made a router of the host: that is no longer ours to undo.
                if HostSettings.isIPv4Forwarding(setting),
                    try networkSetting("ipv4/conf/all/forwarding", in: host) == "1"
                {
                    continue
                }
                try setNetworkSetting(setting, value, in: host)
            } catch {
                if error.code != ENOENT { throw error }
            }
        }
        try folder.remove(HostSettings.file)
    }

    private static func isIPv4Forwarding(_ setting: String) -> Bool {
        setting.hasPrefix("ipv4/conf/") && setting.hasSuffix("/forwarding")
    }

    private func kept() throws(SystemError) -> [(setting: String, value: String)] {
        HostSettings.read(try folder.read(HostSettings.file) ?? "")
    }

    static func text(_ kept: [(setting: String, value: String)]) -> String {
        kept.map { "\($0.setting) \($0.value)\n" }.joined()
    }

    /// What is no setting of an interface's forwarding is left out: nobody else's words are written to the kernel.
    static func read(_ text: String) -> [(setting: String, value: String)] {
        text.split(separator: "\n").compactMap { line in
            let words = line.split(separator: " ")
            guard words.count == 2, words[1] == "0" || words[1] == "1" else { return nil }
            let parts = words[0].split(separator: "/", omittingEmptySubsequences: false)
            guard parts.count == 4, parts[0] == "ipv4" || parts[0] == "ipv6", parts[1] == "conf",
                !parts[2].isEmpty, parts[2] != "..", parts[2] != ".",
                parts[3] == "forwarding" || parts[3] == "force_forwarding"
            else { return nil }
            return (String(words[0]), String(words[1]))
        }
    }
}
