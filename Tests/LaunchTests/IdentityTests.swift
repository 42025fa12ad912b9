import Profile
import Testing

@testable import Launch

@Suite("Users and groups of a box")
struct IdentityTests {
    private static let passwd = """
        root:x:0:0:root:/root:/bin/bash
        # a comment
        web:x:33:33:web:/var/www:/usr/sbin/nologin
        alice:x:1000:1000::/home/alice:
        short:x:5:5
        all:x:4294967295:4294967295::/:/bin/sh
        wide:x:4294967296:0::/:/bin/sh
        plus:x:+0:0::/:/bin/sh
        blank:x:::::
        """
    private static let group = """
        root:x:0:
        web:x:33:
        alice:x:1000:
        video:x:44:web,alice
        audio:x:29:alice
        webby:x:50:website,www-web
        all:x:4294967295:alice
        hex:x:0x0:
        """
    private let accounts = AccountDatabase(passwd: Self.passwd, group: Self.group)

    private func resolve(user: String? = nil, group: String? = nil, groups: [String]? = nil) throws(LaunchError)
        -> BoxIdentity?
    {
        var process = Profile.Process()
        process.user = user
        process.group = group
        process.groups = groups
        return try accounts.resolve(process, uid: 0, gid: 0)
    }

    @Test("nothing said, nothing changed") func nothing() throws {
        #expect(try resolve() == nil)
    }

    @Test("a name brings its group and the groups of group(5)") func name() throws {
        let web = try #require(try resolve(user: "web"))
        #expect(web.uid == 33)
        #expect(web.gid == 33)
        #expect(web.groups == [33, 44])
        #expect(web.account?.home == "/var/www")
        #expect(try resolve(user: "alice")?.groups == [1000, 44, 29])
    }

    @Test("a number too, where passwd(5) knows it") func number() throws {
        #expect(try resolve(user: "33") == resolve(user: "web"))
        #expect(try resolve(user: "0")?.account?.name == "root")
        let stranger = try #require(try resolve(user: "54321"))
        #expect(stranger == BoxIdentity(uid: 54321, gid: 54321, groups: [], account: nil))
        #expect(try resolve(user: "4294967294")?.uid == 4_294_967_294)
    }

    @Test("group and groups") func groups() throws {
        let web = try #require(try resolve(user: "web", group: "video", groups: ["29", "alice"]))
        #expect(web.uid == 33)
        #expect(web.gid == 44)
        #expect(web.groups == [29, 1000])
        #expect(try resolve(user: "web", groups: [])?.groups == [])
        #expect(try resolve(group: "12") == BoxIdentity(uid: 0, gid: 12, groups: nil, account: nil))
        #expect(try resolve(groups: ["web"]) == BoxIdentity(uid: 0, gid: 0, groups: [33], account: nil))
    }

    static let wrong = [
        "", "1000:", "0x0", "-1", "+1", "-0", "+0", "00", "007", "name:grp", ":", "root:", "root:root", "4294967295",
        "4294967296", "18446744073709551616", "1e3", "1000 ", " 0", "0\n", "root\n", "ro ot", "root\0", "1.0", "0,1",
        "../root", "\u{ff10}", "\u{660}", "nobody-here", "Root",
    ]

    @Test("S15: nothing in between ever becomes an id", arguments: Self.wrong)
    func wrongUser(text: String) {
        #expect(throws: LaunchError.self) { try resolve(user: text) }
        #expect(throws: LaunchError.self) { try resolve(group: text) }
        #expect(throws: LaunchError.self) { try resolve(groups: ["0", text]) }
    }

    @Test("errors name the key") func keys() {
        let user = #expect(throws: LaunchError.self) { try resolve(user: "-1") }
        #expect(user?.key == "process.user")
        let group = #expect(throws: LaunchError.self) { try resolve(group: "gone") }
        #expect(group?.key == "process.group")
        let groups = #expect(throws: LaunchError.self) { try resolve(groups: ["0x0"]) }
        #expect(groups?.key == "process.groups")
    }

    @Test(
        "S15: a box's own passwd cannot say \"unchanged\", or a number that is none",
        arguments: ["all", "wide", "plus", "blank", "short"])
    func hostilePasswd(name: String) {
        #expect(throws: LaunchError.self) { try resolve(user: name, groups: []) }
    }

    @Test("nor can its group(5)") func hostileGroup() throws {
        #expect(throws: LaunchError.self) { try resolve(group: "all") }
        #expect(throws: LaunchError.self) { try resolve(group: "hex") }
        #expect(try resolve(user: "alice")?.groups?.contains(.max) == false)
    }

    @Test("lines end at a line feed, whatever stands before it") func lines() throws {
        let accounts = AccountDatabase(
            passwd: "root:x:0:0::/root:/bin/sh\r\nbob:x:7:7::/home/bob:/bin/sh\r\n", group: "b:\u{301}:9:bob\r\n")
        var process = Profile.Process()
        process.user = "bob"
        #expect(try accounts.resolve(process, uid: 0, gid: 0)?.uid == 7)
        process.group = "b"
        #expect(try accounts.resolve(process, uid: 0, gid: 0)?.gid == 9)
    }

    @Test("without files only numbers") func noFiles() throws {
        let accounts = AccountDatabase(passwd: "", group: "")
        var process = Profile.Process()
        process.user = "7"
        process.group = "8"
        #expect(try accounts.resolve(process, uid: 0, gid: 0) == BoxIdentity(uid: 7, gid: 8, groups: [], account: nil))
        process.user = "root"
        #expect(throws: LaunchError.self) { try accounts.resolve(process, uid: 0, gid: 0) }
    }
}
