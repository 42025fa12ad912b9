import Glibc

/// The C programs of Payloads/, compiled statically so that they run in any root directory.
enum Payload {
    static func probe() throws -> String { try probeBuild.get() }
    static func attack() throws -> String { try attackBuild.get() }
    static func naive() throws -> String { try naiveBuild.get() }

    private static let probeBuild = compiled("probe")
    private static let attackBuild = compiled("attack")
    private static let naiveBuild = compiled("naive")

    private static func compiled(_ name: String) -> Result<String, Failure> {
        let here = #filePath.lastIndex(of: "/").map { String(#filePath[..<$0]) } ?? "."
        let source = here + "/../Payloads/\(name).c"
        let target = Harness.folder + "/" + name
        let command = ["cc", "-static", "-O1", "-o", target, source]
        do {
            let outcome = try Child.capture(command, environment: Harness.environment)
            return outcome.succeeded ? .success(target) : .failure(Failure(saying: outcome.err))
        } catch {
            return .failure(Failure(saying: "\(error)"))
        }
    }
}
