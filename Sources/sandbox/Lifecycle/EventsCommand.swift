import ArgumentParser
import Glibc
import Kernel
import Launch
import Profile
import SandboxKit

/// `sandbox events`: what happens to sandboxes, as it happens.
struct EventsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "events", abstract: "Tell what happens to sandboxes, line by line.",
        discussion: """
            Follows what happens from now on; with --since also what happened before, as far back as the log in the \
            state directory goes. With --no-follow it ends with what the log holds. A line of --json is an object with \
            time, event and name, and what else is known. The events are created, port-added, chain-changed, started, exited, oom \
            (the kernel killed a process for want of memory), restarted, paused, resumed, updated, checkpointed, saved (it goes on \
            beside a new snapshot), save-failed, loaded (memory that came in later is all there), memory-lost, migrated, \
            migration-failed, station-lost (a switch could not be told where it goes on, so that frames for it go astray) and \
            removed.
            """)

    @Flag(name: .customLong("json"), help: "Print each event as one line of JSON.")
    var json = false
    @Option(
        name: .customLong("since"),
        help: ArgumentHelp(
            "Begin with what happened then: \(PointInTime.forms).", valueName: "time"))
    var since: Moment?
    @Flag(name: .customLong("no-follow"), help: "Print what is known, and end.")
    var noFollow = false

    func run() throws {
        let registry = try Registry.ofCaller()
        do {
            if noFollow {
                // Ends that nobody has recorded belong to what is known.
                _ = try registry.list()
                return try write(try registry.events(since: since?.milliseconds ?? 0))
            }
            raiseDescriptorLimit()
            var follower = try EventFollower(registry, since: since?.milliseconds)
            while true {
                let events = try follower.next(closing: STDOUT_FILENO)
                if events.isEmpty { return }
                try write(events)
            }
        } catch let error as SystemError where error.code == EPIPE {
            // Nobody reads on.
            return
        }
    }

    private func write(_ events: [Event]) throws(SystemError) {
        for event in events { try Output.line(json ? Output.safe(event.document.compactJSON) : event.text) }
    }
}

/// A point in time of the command line.
struct Moment: ExpressibleByArgument, Equatable {
    var milliseconds: Int

    init?(argument: String) {
        guard let time = PointInTime.parse(argument, now: PointInTime.now) else { return nil }
        milliseconds = time
    }
}

extension Event {
    /// The line of `events --json`, times as ISO 8601.
    fileprivate var document: Value {
        var entries: [(key: String, value: Value)] = [
            ("time", .string(TimeText.iso(time))), ("event", .string(kind)), ("name", .string(name)),
        ]
        guard case .table(let details) = details else { return .table(entries) }
        for (key, value) in details {
            if key == "ended", case .integer(let time) = value {
                entries.append((key, .string(TimeText.iso(time))))
            } else {
                entries.append((key, value))
            }
        }
        return .table(entries)
    }

    /// The line for people: when, who, what.
    fileprivate var text: String {
        var text = "\(TimeText.local(time)) \(name) \(kind)"
        guard case .table(let details) = details else { return printable(text) }
        for (key, value) in details where key != "ended" {
            switch value {
            case .null, .bool(false): continue
            case .string(let word): text += " \(key)=\(quotedWord(word))"
            case .bool(true): text += " \(key)"
            default: text += " \(key)=\(value.compactJSON)"
            }
        }
        return printable(text)
    }
}
