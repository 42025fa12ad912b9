import Glibc
import Kernel
import Testing

@testable import Netlink

@Suite("Visits to another network namespace") struct NamespaceVisitTests {
    @Test("a socket speaks of the other namespace, and the caller is where it was", .enabled(if: isRoot, needsRoot))
    func thereAndBack() throws {
        try inNewNetwork { home in
            let other = try newNetwork()
            try NetlinkSocket().send(.create(LinkSpec(LinkOptions("here"), .plain("ifb"))))
            let socket = try NetlinkSocket(in: other.number)
            #expect(try socket.link(.name("here")) == nil)
            #expect(try NetlinkSocket().link(.name("here")) != nil)
            #expect(try inode(home) == inodeHere())
        }
    }

    @Test("a descriptor of something else is refused, and the caller is where it was", .enabled(if: isRoot, needsRoot))
    func somethingElse() throws {
        try inNewNetwork { home in
            let null = try Descriptor(open: "/dev/null", O_RDONLY)
            #expect(throws: SystemError.self) { _ = try NetlinkSocket(in: null.number) }
            #expect(try inode(home) == inodeHere())
        }
    }

    @Test("where the caller is is told without /proc", .enabled(if: isRoot, needsRoot)) func whereOneIs() throws {
        try inNewNetwork { home in
            let told = try ownNetworkNamespace()
            #expect(try inode(told.number) == inode(home))
            #expect(try inode(home) == inodeHere())
        }
    }

    private func inode(_ descriptor: Int32) throws -> UInt64 { try FileStatus(descriptor, name: "a namespace").inode }

    private func inodeHere() throws -> UInt64 {
        let here = try Descriptor(open: "/proc/thread-self/ns/net", O_RDONLY)
        return try inode(here.number)
    }
}
