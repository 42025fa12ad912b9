import Testing

@testable import Kernel

@Suite("Mount tables") struct MountTableTests {
    @Test("a line with propagation and an empty source") func line() throws {
        let line = "36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 shared:4 - ext3  rw,errors=continue"
        let entry = try #require(MountEntry(line: line[...]))
        #expect(entry.id == 36 && entry.parent == 35 && entry.device == "98:0")
        #expect(entry.root == "/mnt1" && entry.path == "/mnt2" && entry.type == "ext3" && entry.source.isEmpty)
        #expect(entry.options == ["rw", "noatime"] && entry.propagation == ["master:1", "shared:4"])
        #expect(entry.filesystemOptions == ["rw", "errors=continue"])
    }

    @Test("a line with a field missing is none") func short() {
        #expect(MountEntry(line: "36 35 98:0 /mnt1 /mnt2 rw,noatime - ext3 src") == nil)
        #expect(MountEntry(line: "") == nil)
    }

    @Test("mountinfo's escapes") func unescape() {
        #expect(unescapeMountPath("/a") == "/a")
        #expect(unescapeMountPath("/a\\040b\\011c\\134d\\012") == "/a b\tc\\d\n")
        #expect(unescapeMountPath("/\\303\\251") == "/\u{e9}")
        #expect(unescapeMountPath("/a\\04") == "/a\\04")
        #expect(unescapeMountPath("/a\\999\\777") == "/a\\999\\777")
        #expect(unescapeMountPath("\\") == "\\")
    }
}
