import Glibc
import Kernel
import Testing

@testable import Checkpoint

@Suite("What two hosts say to each other while memory follows a sandbox") struct PageFrameTests {
    private func read(_ bytes: [UInt8]) throws -> [PageFrame] {
        let pipe = try makePipe("test")
        defer { close(pipe.read) }
        try writeBytes(bytes, to: pipe.write, name: "a pipe")
        close(pipe.write)
        var frames: [PageFrame] = []
        while let frame = try PageFrame.read(from: pipe.read) { frames.append(frame) }
        return frames
    }

    @Test("comes back as it was") func round() throws {
        let frames: [PageFrame] = [
            .pages([1, 2, 3]), .word("restored"), .pages([]), .pages([UInt8](repeating: 7, count: PageFrame.piece)),
            .word("failed no such switch"), .end,
        ]
        #expect(try read(frames.flatMap { $0.bytes }) == frames)
    }

    @Test("a word is written in one piece") func piece() {
        #expect(PageFrame.word(String(repeating: "x", count: 10_000)).bytes.count == PageFrame.piece + 4)
    }

    @Test("what is cut off is no frame") func cut() throws {
        #expect(try read([0, 0, 0, 3, 1, 2]) == [])
        #expect(try read([0, 0]) == [])
        #expect(try read([]) == [])
    }

    @Test(
        "what nobody of ours says is an error",
        arguments: [[3, 0, 0, 0], [0, 1, 0, 1], [0, 255, 255, 255]] as [[UInt8]])
    func foreign(_ bytes: [UInt8]) throws {
        #expect(throws: SystemError.self) { try read(bytes + [UInt8](repeating: 0, count: 100)) }
    }
}
