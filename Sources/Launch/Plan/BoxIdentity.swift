import Profile

/// The identity that a box's command runs under.
struct BoxIdentity: Equatable {
    var uid: UInt32
    var gid: UInt32
    /// Supplementary groups; nil: the caller's, unchanged.
    var groups: [UInt32]?
    /// The passwd(5) entry behind it, for HOME, USER and SHELL.
    var account: Account?
}

/// A line of passwd(5).
struct Account: Equatable {
    var name: String
    var uid: UInt32
    var gid: UInt32
    var home: String
    var shell: String
}

/// passwd(5) and group(5) of a box, as text.
struct AccountDatabase {
    let passwd: String
    let group: String

    /// Resolves what a profile says; nil when it says nothing.
    func resolve(_ process: Profile.Process, uid: UInt32, gid: UInt32) throws(LaunchError) -> BoxIdentity? {
        if process.user == nil, process.group == nil, process.groups == nil { return nil }
        var credentials = BoxIdentity(uid: uid, gid: gid)
        if let user = process.user { try setUser(user, &credentials) }
        if let group = process.group { credentials.gid = try groupID(group, key: "process.group") }
        if let groups = process.groups {
            var ids: [UInt32] = []
            for group in groups { ids.append(try groupID(group, key: "process.groups")) }
            credentials.groups = ids
        }
        return credentials
    }

    /// The entry of a number.
    func account(of uid: UInt32) -> Account? { accounts.first { $0.uid == uid } }

    private func setUser(_ user: String, _ credentials: inout BoxIdentity) throws(LaunchError) {
        let number = try id(user, key: "process.user")
        let account = accounts.first { number == nil ? $0.name == user : $0.uid == number }
        if let account {
            credentials.uid = account.uid
            credentials.gid = account.gid
            credentials.account = account
            credentials.groups = memberships(of: account.name, primary: account.gid)
        } else if let number {
            // Never a group of root's by accident: a group of the user's own number.
            credentials.uid = number
            credentials.gid = number
            credentials.groups = []
        } else {
            throw LaunchError(key: "process.user", "no user \"\(user)\" in the box's /etc/passwd")
        }
    }

    private func groupID(_ group: String, key: String) throws(LaunchError) -> UInt32 {
        if let number = try id(group, key: key) { return number }
        for fields in lines(self.group) where fields.count >= 3 && fields[0] == group {
            if let id = AccountDatabase.number(fields[2]) { return id }
        }
        throw LaunchError(key: key, "no group \"\(group)\" in the box's /etc/group")
    }

    /// A number written as plain decimal digits; nil for a name. Nothing in between ever becomes an id
    /// (CVE-2026-30892).
    private func id(_ text: String, key: String) throws(LaunchError) -> UInt32? {
        guard let first = text.utf8.first else {
            throw LaunchError(key: key, "an empty name")
        }
        let looksNumeric = (0x30...0x39).contains(first) || first == 0x2b || first == 0x2d
        guard looksNumeric else {
            if text.utf8.contains(where: { $0 == 0x3a || $0 == 0x2f || $0 <= 0x20 }) {
                throw LaunchError(key: key, "\"\(text)\" is no user or group name", mend: "give one name or number")
            }
            return nil
        }
        guard let number = AccountDatabase.number(text), String(number) == text else {
            throw LaunchError(key: key, "\"\(text)\" is no id", mend: "give a decimal number or a name")
        }
        return number
    }

    /// An id in plain decimal digits. The last one means "unchanged" to setresuid(2), so it is none: a box's own passwd
    /// must not turn a user into the caller.
    private static func number(_ text: some StringProtocol) -> UInt32? {
        guard text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = UInt32(text), number != UInt32.max
        else { return nil }
        return number
    }

    private var accounts: [Account] {
        lines(passwd).compactMap { fields in
            guard fields.count >= 7, let uid = AccountDatabase.number(fields[2]),
                let gid = AccountDatabase.number(fields[3])
            else { return nil }
            return Account(
                name: String(fields[0]), uid: uid, gid: gid, home: String(fields[5]), shell: String(fields[6]))
        }
    }

    private func memberships(of name: String, primary: UInt32) -> [UInt32] {
        var ids = [primary]
        for fields in lines(group) where fields.count >= 4 {
            let isMember = fields[3].split(separator: ",").contains { $0 == name }
            if isMember, let id = AccountDatabase.number(fields[2]) {
                ids.append(id)
            }
        }
        return ids
    }

    private func lines(_ text: String) -> [[Substring]] {
        // By scalars: "\r\n" is one character, and so is ":" with a combining mark after it.
        text.unicodeScalars.split(separator: "\n").map { line in
            line.split(separator: ":", omittingEmptySubsequences: false).map { Substring($0) }
        }
    }
}
