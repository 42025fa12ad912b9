import Glibc
import Testing

@testable import Kernel

struct CapabilityTests {
    @Test func namesAndNumbers() {
        #expect(Capability("NET_ADMIN") == .netAdmin)
        #expect(Capability("CAP_SYS_ADMIN") == .sysAdmin)
        #expect(Capability("cap_setpcap")?.number == 8)
        #expect(Capability("CHECKPOINT_RESTORE")?.number == 40)
        #expect(Capability(number: 0).name == "CHOWN")
        #expect(Capability.netAdmin.name == "NET_ADMIN")
        for wrong in ["", "CAP_", "12", "CAP_12", "NET_ADMINN", "all", "-1"] {
            #expect(Capability(wrong) == nil, "\(wrong)")
        }
        for number in UInt8(0)...40 { #expect(Capability(Capability(number: number).name)?.number == number) }
    }

    @Test func sets() {
        let set: CapabilitySet = [.netAdmin, .setuid]
        #expect(set.bits == 1 << 12 | 1 << 7)
        #expect(set.members == [.setuid, .netAdmin])
        #expect(set.subtracting([.setuid]) == [.netAdmin])
        #expect(set.intersection([.setuid, .sysAdmin]) == [.setuid])
        #expect(CapabilitySet.ofKernel.contains(.sysAdmin))
        #expect(!CapabilitySet.ofKernel.contains(Capability(number: 63)))
    }

    @Test func secureBitsAreThoseOfTheKernelsHeader() {
        #expect(SecureBits("noroot") == .noRoot)
        #expect(SecureBits("no-setuid-fixup") == .noSetuidFixup)
        #expect(SecureBits("keep-caps") == .keepCapabilities)
        #expect(SecureBits("no-cap-ambient-raise") == .noAmbientRaise)
        #expect(SecureBits("noroot-locked") == SecureBits.noRoot.locks)
        #expect(SecureBits("no-cap-ambient-raise-locked")?.rawValue == 128)
        #expect(SecureBits("nosuch") == nil)
    }

    @Test func currentStateIsThatOfProc() throws {
        let state = try CapabilityState.current()
        let status = try readText("/proc/thread-self/status")
        func field(_ name: String) -> UInt64? {
            status.split(separator: "\n").first { $0.hasPrefix(name + ":") }
                .flatMap { $0.split(separator: "\t").last }.flatMap { UInt64($0, radix: 16) }
        }
        #expect(state.effective.bits == field("CapEff"))
        #expect(state.permitted.bits == field("CapPrm"))
        #expect(state.inheritable.bits == field("CapInh"))
        #expect(state.bounding.bits == field("CapBnd"))
        #expect(state.ambient.bits == field("CapAmb"))
    }

    private func refusal(_ change: (inout CapabilityState) -> Void, held: CapabilityState) -> SystemError? {
        var wanted = CapabilityState()
        change(&wanted)
        do throws(SystemError) {
            try wanted.validate(against: held)
            return nil
        } catch { return error }
    }

    @Test func whatTheKernelWouldNotGiveIsNamed() {
        var root = CapabilityState()
        root.permitted = [.netAdmin, .setpcap]
        root.effective = root.permitted
        root.bounding = [.netAdmin, .setpcap, .setuid]
        #expect(refusal({ _ in }, held: root) == nil)
        #expect(refusal({ $0.permitted = [.sysAdmin] }, held: root)?.message.contains("CAP_SYS_ADMIN") == true)
        #expect(refusal({ $0.effective = [.netAdmin] }, held: root)?.message.contains("permitted set") == true)
        #expect(refusal({ $0.bounding = [.sysAdmin] }, held: root)?.action == "keep in the bounding set CAP_SYS_ADMIN")
        let ambient = refusal({ ($0.permitted, $0.ambient) = ([.netAdmin], [.netAdmin]) }, held: root)
        #expect(ambient?.message.contains("inheritable set") == true)
        #expect(refusal({ $0.inheritable = [.setuid] }, held: root)?.message.contains("bounding set") == true)
        let whole = refusal(
            {
                ($0.permitted, $0.inheritable, $0.bounding, $0.ambient) = (
                    [.netAdmin], [.netAdmin], [.netAdmin], [.netAdmin]
                )
            },
            held: root)
        #expect(whole == nil)
    }

    @Test func withoutSetpcapTheBoundingSetStays() {
        var user = CapabilityState()
        user.bounding = [.netAdmin]
        #expect(refusal({ $0.bounding = [.netAdmin] }, held: user) == nil)
        #expect(refusal({ _ in }, held: user)?.message.contains("CAP_NET_ADMIN") == true)
        #expect(
            refusal({ ($0.bounding, $0.securebits) = ([.netAdmin], .noRoot) }, held: user)?.action
                == "set the securebits")
    }
}
