import Addresses
import Glibc
import Kernel
import Testing

@testable import Netlink

@Suite("Programs of interfaces", .enabled(if: isRoot, needsRoot)) struct InterfaceProgramTests {
    private func program(_ verdict: FrameProgram.Verdict, _ name: String) throws -> LoadedProgram {
        var program = FrameProgram()
        program.end(verdict)
        return try LoadedProgram(program, name: name)
    }

    @Test("One takes the place of the one of its name, and others stay", arguments: InterfacePrograms.Way.allCases)
    func replaced(way: InterfacePrograms.Way) throws {
        try inNewNetwork { namespace in
            let socket = try NetlinkSocket()
            let bridge = try socket.create(LinkSpec(LinkOptions("br0", isUp: true), .bridge()))
            let a = try Station.join("a", "10.1.0.2/24", on: socket, bridge: bridge.index)
            let b = try Station.join("b", "10.1.0.3/24", on: socket, bridge: bridge.index)
            let link = try #require(try socket.link("a")).index
            let programs = InterfacePrograms(in: namespace, by: way)
            #expect(try programs.names(on: link, .input).isEmpty)
            try programs.set(try program(.next, "other"), on: link, .input)
            try programs.set(try program(.drop, "mine"), on: link, .input)
            #expect(try programs.names(on: link, .input) == ["other", "mine"])
            #expect(try programs.names(on: link, .output).isEmpty)
            #expect(try !a.reaches(b, tries: 2))
            try programs.set(try program(.next, "mine"), on: link, .input)
            #expect(try programs.names(on: link, .input) == ["other", "mine"])
            #expect(try a.reaches(b))
            try programs.remove("other", from: link, .input)
            try programs.remove("other", from: link, .input)
            #expect(try programs.names(on: link, .input) == ["mine"])
            try programs.set(try program(.drop, "mine"), on: link, .output)
            #expect(try programs.names(on: link, .output) == ["mine"] && !b.reaches(a, tries: 2))
            for place in InterfacePrograms.Place.allCases { try programs.remove("mine", from: link, place) }
            #expect(try a.reaches(b) && b.reaches(a) && programs.names(on: link, .input).isEmpty)
            let gone = #expect(throws: SystemError.self) {
                try programs.set(try program(.next, "mine"), on: 99_999, .input)
            }
            #expect(gone?.code == ENODEV)
        }
    }

    @Test("What leads nowhere sensible is refused with the kernel's reason") func refused() throws {
        var program = FrameProgram()
        program.load(.word, 2, at: 100)
        program.end(.next)
        let failure = #expect(throws: SystemError.self) { _ = try LoadedProgram(program, name: "bad") }
        #expect(failure?.code == EACCES)
    }
}
