import CLinux
import Glibc
import Kernel
import Testing

@testable import SandboxKit

@Suite("Pictures") struct PictureTests {
    /// A picture as ImageMagick reads it back.
    private func decoded(_ png: [UInt8]) throws -> [UInt8] {
        var template = Array("/tmp/picture-XXXXXX".utf8CString)
        let file = mkstemp(&template)
        let path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        defer {
            close(file)
            unlink(path)
        }
        #expect(png.withUnsafeBytes { write(file, $0.baseAddress, $0.count) } == png.count)
        guard let stream = popen("convert png:\(path) -depth 8 rgb:-", "r") else { return [] }
        defer { pclose(stream) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = fread(&buffer, 1, buffer.count, stream)
            if count == 0 { return bytes }
            bytes += buffer[..<count]
        }
    }

    private static let hasConvert = access("/usr/bin/convert", X_OK) == 0

    private func picture(_ width: Int, _ height: Int, _ pixel: (Int, Int) -> UInt32) -> Picture {
        var picture = Picture(width: width, height: height)
        for y in 0..<height {
            for x in 0..<width {
                let value = pixel(x, y)
                for channel in 0..<3 {
                    picture.pixels[(y * width + x) * 3 + channel] =
                        UInt8(truncatingIfNeeded: value >> (8 * UInt32(channel)))
                }
            }
        }
        return picture
    }

    @Test(
        "what is written is what was shown", .enabled(if: hasConvert, "needs ImageMagick's convert"),
        arguments: [(1, 1), (2, 300), (300, 2), (97, 61), (640, 3)])
    func comesBack(width: Int, height: Int) throws {
        var random = SystemRandomNumberGenerator()
        let patterns: [(Int, Int) -> UInt32] = [
            { _, _ in 0 }, { x, y in UInt32(x / 7 * 31 + y / 5 * 77) }, { _, _ in UInt32(random.next() & 0xff_ffff) },
            { x, _ in UInt32(x) }, { _, y in UInt32(y) << 16 | 0xffff },
        ]
        for pattern in patterns {
            let picture = picture(width, height, pattern)
            #expect(try decoded(picture.png()) == picture.pixels)
        }
    }

    @Test("a screen of few shapes takes little") func small() throws {
        let picture = picture(1280, 800) { x, y in (200..<900).contains(x) && (100..<500).contains(y) ? 0xffffff : 0 }
        #expect(try picture.png().count < 40_000)
    }
}

@Suite("Reading a screen from a server that may be hostile") struct FramebufferTests {
    /// A server that has this to say and nothing more.
    private final class Server {
        let path: String
        let socket: Int32
        private let listener: Int32

        init() throws {
            let place = "/tmp/framebuffer-\(getpid())-\(UInt32.random(in: 0 ... .max))"
            let made = Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
            try check("bind") { linux_unix_bind(made, place) }
            try check("listen") { listen(made, 1) }
            (path, listener, socket) = (place, made, linux_open(place, O_PATH, 0))
        }

        deinit {
            for descriptor in [listener, socket] { close(descriptor) }
            unlink(path)
        }

        /// What the reader makes of a server that says this; the error's number.
        func answer(_ words: [UInt8], ends: Bool = true, milliseconds: Int = 2000) throws -> Int32 {
            let connected: Result<Picture, SystemError>
            let reader = try FramebufferReader(socket, milliseconds: milliseconds)
            let peer = accept(listener, __SOCKADDR_ARG(), nil)
            defer { close(peer) }
            _ = words.withUnsafeBytes { send(peer, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            if ends { shutdown(peer, Int32(SHUT_WR)) }
            do throws(SystemError) { connected = .success(try reader.read()) } catch { connected = .failure(error) }
            switch connected {
            case .success: return 0
            case .failure(let error): return error.code
            }
        }
    }

    private static let greeting: [UInt8] = Array("RFB 003.008\n".utf8) + [1, 1, 0, 0, 0, 0]

    private static func start(_ width: UInt16, _ height: UInt16, name: UInt32 = 0) -> [UInt8] {
        let numbers = [width >> 8, width & 255, height >> 8, height & 255].map { UInt8($0) }
        let length = [name >> 24, name >> 16 & 255, name >> 8 & 255, name & 255].map { UInt8($0) }
        return greeting + numbers + [UInt8](repeating: 0, count: 16) + length
    }

    @Test("a whole screen is read") func whole() throws {
        let update: [UInt8] = [0, 0, 0, 1, 0, 0, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0, 3, 2, 1, 0]
        #expect(try Server().answer(Self.start(1, 1) + update) == 0)
        // A bell, a text that was copied and a map of colours come between.
        let noise: [UInt8] = [2, 3, 0, 0, 0, 0, 0, 0, 2, 65, 66, 1, 0, 0, 0, 0, 1, 9, 9, 9, 9, 9, 9]
        #expect(try Server().answer(Self.start(1, 1) + noise + update) == 0)
    }

    private static let noScreens: [[UInt8]] = [
        Array("SSH-2.0-OpenSSH_9\n".utf8), Array("RFB 003.008\n".utf8) + [1, 2], start(0, 5), start(20000, 5),
        start(1, 1, name: .max), start(1, 1) + [9],
        // A rectangle beyond the screen, one that is encoded, and a text without end.
        start(1, 1) + [0, 0, 0, 1, 0, 1, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0],
        start(1, 1) + [0, 0, 0, 1, 0, 0, 0, 0, 0, 1, 0, 1, 0, 0, 0, 5], start(1, 1) + [3, 0, 0, 0, 255, 0, 0, 0],
    ]

    @Test("what is no screen is an error", arguments: noScreens)
    func malformed(words: [UInt8]) throws { #expect(try Server().answer(words) == EPROTO) }

    @Test("one that ends early, and one that says nothing") func silent() throws {
        #expect(try Server().answer(Array("RFB 0".utf8)) == ECONNRESET)
        #expect(try Server().answer(Self.start(9, 9)) == ECONNRESET)
        #expect(try Server().answer([], ends: false, milliseconds: 100) == ETIMEDOUT)
        #expect(try Server().answer(Self.start(9, 9), ends: false, milliseconds: 100) == ETIMEDOUT)
    }

    @Test("updates without pixels do not go on for ever") func endless() throws {
        let nothing: [UInt8] = [0, 0, 0, 0]
        let words = Self.start(9, 9) + [[UInt8]](repeating: nothing, count: 500).flatMap { $0 }
        #expect(try Server().answer(words, ends: false, milliseconds: 100) == ETIMEDOUT)
    }
}
