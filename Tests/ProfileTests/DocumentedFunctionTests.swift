import Foundation
import Testing

@testable import Profile

/// The functions that the README gives as they are to be written.
@Suite("Functions in the README") struct DocumentedFunctionTests {
    /// The blocks of TOML that declare a function, each with its description.
    private static let texts: [String] = {
        let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../README.md")
        guard let text = try? String(contentsOf: file, encoding: .utf8) else { return [] }
        return text.components(separatedBy: "```toml\n").dropFirst().compactMap { part in
            let block = part.components(separatedBy: "```")[0]
            return block.contains("[function]") ? block : nil
        }
    }()

    @Test("there are the function of one's own and both recipes of Suricata") func found() {
        #expect(DocumentedFunctionTests.texts.count == 3)
        #expect(DocumentedFunctionTests.texts.count { $0.contains("suricata") } == 2)
    }

    @Test("each passes the check, and is a function of a chain", arguments: texts) func checked(text: String) throws {
        let files = ["/user/functions/own.toml": text]
        let findings = store(files, directories: ["/user/functions"]).check(["own"])
        #expect(findings.isEmpty, "\(findings)")
        let given = text.contains("[function.presets]") ? "own:office" : "own"
        let function = try store(files).resolve([given], key: "network.chain")[0]
        if !text.contains("ips.yaml") { return }
        #expect(function.mode == .bridge && function.wire == .none && function.failure == .closed)
        guard case .array(let items)? = function.box?["filesystem"]?["files"],
            case .string(let settings)? = items[0]["content"]
        else {
            Issue.record("the settings are missing")
            return
        }
        #expect(settings.contains("copy-iface: out0") && settings.contains("copy-iface: in0"))
    }
}
