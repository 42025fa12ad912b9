import Addresses
import Launch
import Testing

@testable import Checkpoint

@Suite struct SocketImageTests {
    private let magic: [UInt8] = [0x19, 0x43, 0x56, 0x54, 0x38, 0x31, 0x30, 0x56]

    private func message(_ fields: [(Int, WireMessage.Content)]) throws -> WireMessage {
        var message = try #require(WireMessage([][...]))
        message.fields = fields.map { .init(number: $0.0, content: $0.1) }
        return message
    }

    /// As a little-endian machine writes them.
    private func words(_ address: String) throws -> [UInt64] {
        let bytes = try #require(IPAddress(address)).bytes
        return stride(from: 0, to: bytes.count, by: 4).map { start in
            UInt64(bytes.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: start, as: UInt32.self) })
        }
    }

    private func socket(_ source: String, _ target: String, isPacked: Bool = false) throws -> WireMessage {
        var socket = try message([(1, .number(7)), (7, .number(80))])
        for (field, address) in [(11, source), (12, target)] {
            if isPacked {
                let packed = try message(try words(address).map { (1, .number($0)) }).encoded
                // The tags of one byte each go.
                var bytes: [UInt8] = []
                var rest = packed[...]
                while let tag = rest.popFirst() {
                    #expect(tag == 8)
                    while let byte = rest.popFirst() {
                        bytes.append(byte)
                        if byte < 0x80 { break }
                    }
                }
                socket.fields.append(.init(number: field, content: .bytes(bytes[...])))
            } else {
                socket.fields += try words(address).map { .init(number: field, content: .number($0)) }
            }
        }
        socket.fields.append(.init(number: 99, content: .fixed([1, 2, 3, 4][...])))
        return try message([(1, .number(2)), (2, .number(3)), (4, .bytes(socket.encoded[...]))])
    }

    private func image(_ files: [WireMessage]) -> [UInt8] {
        files.reduce(magic) { image, file in
            image + withUnsafeBytes(of: UInt32(file.encoded.count).littleEndian) { Array($0) } + file.encoded
        }
    }

    private func changes(_ pairs: [(String, String)], gone: [String] = []) throws -> AddressChanges {
        var changes = AddressChanges()
        for (from, to) in pairs {
            let target: IPAddress = try #require(IPAddress(to))
            changes.moved[try #require(IPAddress(from))] = target
        }
        changes.gone = Set(gone.compactMap { IPAddress($0) })
        return changes
    }

    @Test(arguments: [false, true])
    func ownAddressesAreChangedAndNoOthers(isPacked: Bool) throws {
        let before = image([
            try message([(1, .number(1)), (3, .bytes([1, 2, 3][...]))]),
            try socket("10.0.0.1", "0.0.0.0", isPacked: isPacked), try socket("0.0.0.0", "0.0.0.0"),
            try socket("10.0.0.1", "10.0.0.9"), try socket("127.0.0.1", "10.0.0.1"),
            try socket("::ffff:10.0.0.1", "::"), try socket("fd00::1", "fd00::9"), try socket("fd00::2", "::"),
        ])
        let after = image([
            try message([(1, .number(1)), (3, .bytes([1, 2, 3][...]))]),
            try socket("10.0.0.77", "0.0.0.0"), try socket("0.0.0.0", "0.0.0.0"),
            try socket("10.0.0.77", "10.0.0.9"), try socket("127.0.0.1", "10.0.0.77"),
            try socket("::ffff:10.0.0.77", "::"), try socket("fd00::7", "fd00::9"), try socket("fd00::2", "::"),
        ])
        let changed = try SocketImage.readdressed(
            before, try changes([("10.0.0.1", "10.0.0.77"), ("fd00::1", "fd00::7")]))
        if !isPacked { #expect(changed == after) }
        #expect(changed.count >= magic.count)
        #expect(try SocketImage.readdressed(changed, AddressChanges()) == changed)
    }

    @Test func whatIsBoundToAnAddressThatIsGoneIsNamed() throws {
        let image = image([try socket("fd00::1", "::")])
        let gone = try changes([], gone: ["fd00::1"])
        do throws(LaunchError) {
            _ = try SocketImage.readdressed(image, gone)
            Issue.record("it was taken")
        } catch {
            #expect(error.message.contains("fd00::1") && error.message.contains("port 80"), "\(error.message)")
        }
    }

    @Test func whatIsCutOffIsRefused() throws {
        let whole = image([try socket("10.0.0.1", "0.0.0.0")])
        for count in 0..<whole.count where count != magic.count {
            #expect(throws: LaunchError.self) {
                try SocketImage.readdressed(Array(whole.prefix(count)), AddressChanges())
            }
        }
    }

    @Test func addressesTakeOneAnothersPlaces() throws {
        func list(_ texts: [String]) -> [IPAddress] { texts.compactMap { IPAddress($0) } }
        var changes = AddressChanges()
        changes.add(before: list(["10.0.0.1", "fd00::1", "10.0.0.2"]), now: list(["10.0.0.5"]))
        #expect(
            changes.moved == [
                list(["10.0.0.1"])[0]: list(["10.0.0.5"])[0], list(["10.0.0.2"])[0]: list(["10.0.0.5"])[0],
            ])
        #expect(changes.gone == Set(list(["fd00::1"])))
        var none = AddressChanges()
        none.add(before: list(["10.0.0.1"]), now: list(["10.0.0.1"]))
        #expect(none.isEmpty)
    }
}
