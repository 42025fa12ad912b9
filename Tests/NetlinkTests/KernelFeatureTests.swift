import Glibc
import Kernel
import Testing

@testable import Netlink

@Suite(.enabled(if: isRoot, needsRoot))
struct KernelFeatureTests {
    @Test func eachIsTriedAndNothingStays() throws {
        try inNewNetwork { _ in
            let socket = try NetlinkSocket()
            let before = try socket.links()
            let outcomes = try KernelFeature.probe()
            #expect(outcomes.map(\.feature) == KernelFeature.allCases)
            // What all else here stands on.
            for (feature, failure) in outcomes where [.veth, .bridge].contains(feature) { #expect(failure == nil) }
            for (feature, failure) in outcomes {
                guard let failure else { continue }
                #expect([EOPNOTSUPP, ENOENT].contains(failure.code), "\(feature): \(failure.message)")
            }
            // The thread is where it was, and so is all there.
            #expect(try NetlinkSocket().links().map(\.name) == before.map(\.name))
        }
    }
}
