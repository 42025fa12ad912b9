import Foundation
import Testing

@testable import Profile

/// Profiles as documents, and back.
struct DocumentTests {
    /// The profile that its document stands for, after a way through text.
    private func reread(_ profile: Profile) throws -> Profile {
        let text = profile.document.tomlDocument()
        return try Profile(document: try TOMLDocument(file: "state", text: text).value, name: "state")
    }

    private func without(sources profile: Profile) -> Profile {
        var profile = profile
        for index in profile.filesystem.binds.indices { profile.filesystem.binds[index].source = nil }
        return profile
    }

    @Test func anEmptyProfileIsAnEmptyDocument() throws {
        #expect(Profile().document == .table([]))
        #expect(Profile().document.tomlDocument() == "")
        #expect(try reread(Profile()) == Profile())
    }

    private static let folder = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "../../Profiles").standardizedFileURL.path

    private static var shipped: [String] {
        get throws {
            try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasSuffix(".toml") }.sorted()
        }
    }

    @Test func shippedProfilesComeBack() throws {
        let names = try DocumentTests.shipped
        #expect(names.count >= 18)
        let store = ProfileStore(
            directories: [DocumentTests.folder],
            read: { path in FileManager.default.contents(atPath: path).map { [UInt8]($0) } }, list: { _ in names })
        for name in names {
            let profile = try store.load([String(name.dropLast(5))]).profile
            #expect(try without(sources: reread(profile)) == without(sources: profile), "\(name)")
            #expect(profile.document != .table([]), "\(name)")
        }
    }

    /// The keys that stand for one value each: tables whose keys need each other are one.
    private static let units: [(path: DocumentPath, kind: Kind)] = units(Schema.root, DocumentPath())

    private static func units(_ keys: [Key], _ path: DocumentPath) -> [(path: DocumentPath, kind: Kind)] {
        keys.flatMap { key -> [(path: DocumentPath, kind: Kind)] in
            let inner = path.appending(key.name)
            switch key.kind {
            case .section(let keys) where !keys().contains(where: { $0.isRequired }): return units(keys(), inner)
            default: return key.name == "extends" ? [] : [(inner, key.kind)]
            }
        }
    }

    private func document(_ path: DocumentPath, _ value: Value) -> Value {
        var value = value
        for key in path.keys.reversed() { value = .table([(key, value)]) }
        return value
    }

    @Test func everyValueOfEveryKeyComesBack() throws {
        #expect(DocumentTests.units.count > 70)
        for (path, kind) in DocumentTests.units {
            var matters = false
            for value in Samples.values(of: kind) {
                let written = document(path, value)
                // Some keys refuse each other, as a priority does a policy without one.
                guard let profile = try? Profile(document: written, name: "state") else { continue }
                #expect(try reread(profile) == profile, "\(path.text) = \(value.toml)")
                if profile != Profile() { matters = true }
            }
            #expect(matters, "\(path.text) reaches the model, and can be read back")
        }
    }

    /// A key inside a record or table of others is not lost either.
    @Test func everyKeyOfARecordMatters() throws {
        for (path, kind) in DocumentTests.units {
            let isRecord: Bool
            let keys: [Key]
            switch kind {
            case .tables(let own, _): (isRecord, keys) = (true, own())
            case .section(let own): (isRecord, keys) = (false, own())
            default: continue
            }
            func profile(_ table: [(key: String, value: Value)]) -> Profile? {
                try? Profile(
                    document: document(path, isRecord ? .array([.table(table)]) : .table(table)), name: "state")
            }
            for key in keys where !key.isRequired {
                let matters = Samples.tables(keys).contains { table in
                    guard case .table(let entries) = table, table[key.name] != nil, let with = profile(entries) else {
                        return false
                    }
                    return profile(entries.filter { $0.key != key.name }).map { $0 != with } ?? true
                }
                #expect(matters, "\(path.text): \(key.name)")
            }
        }
    }

    @Test func allKeysAtOnceComeBack() throws {
        var overrides: [Override] = []
        for (path, kind) in DocumentTests.units {
            let loads = Samples.values(of: kind).filter { value in
                guard let profile = try? Profile(document: document(path, value), name: "state") else { return false }
                return profile != Profile()
            }
            overrides.append(Override(path.text, try #require(loads.last, "\(path.text)")))
        }
        let profile = try store([:]).load([], overrides: overrides, contradictions: false).profile
        #expect(try without(sources: reread(profile)) == without(sources: profile))
        let written = profile.document
        for path in DocumentTests.units.map(\.path) {
            var value: Value? = written
            for key in path.keys { value = value?[key] }
            #expect(value != nil, "\(path.text)")
        }
    }

    @Test(arguments: [
        (
            Value.table([("process", .table([("nise", .integer(1))]))]),
            "state: process.nise: unknown key; did you mean \"nice\"?"
        ),
        (.table([("process", .integer(1))]), "state: process: expected a table, not an integer"),
        (
            .table([("process", .table([("nice", .integer(99))]))]),
            "state: process.nice: 99 is out of range; use -20 to 19"
        ),
        (.integer(1), "state: expected a table, not an integer"),
        (
            .table([("extends", .strings(["base"]))]),
            "state: extends: this is no file of the search path; name the profile with -p"
        ),
        (
            .table([("process", .table([("scheduling", .table([("policy", .string("rr"))]))]))]),
            "state: process.scheduling: priority 0 does not go with rr; use 1 to 99"
        ),
    ])
    func whatIsNoProfileIsRefused(document: Value, message: String) {
        #expect(throws: ProfileError.self) {
            do throws(ProfileError) {
                _ = try Profile(document: document, name: "state")
            } catch {
                #expect(error.message == message)
                throw error
            }
        }
    }

    @Test func aValueThatNoProfileCouldHoldIsNotReadBack() {
        var profile = Profile()
        profile.lifecycle.stopTimeout = .infinity
        #expect(throws: ProfileError.self) { try reread(profile) }
        profile.lifecycle.stopTimeout = 10
        profile.resources.memory = .max
        #expect(throws: ProfileError.self) { try reread(profile) }
    }
}
