extension Profile {
    /// How a sandbox ends, what is kept of its end, and whether it begins again.
    public struct Lifecycle: Sendable, Equatable {
        /// What a detached sandbox does when its command has ended.
        public var restart = Restart.no
        /// Milliseconds before the first new start; doubled for each further one, up to a minute, and taken back to
        /// this once a run has lasted ten seconds.
        public var restartDelay = 100
        /// Asks the command to end, by name without `SIG` (signal(7)).
        public var stopSignal = "TERM"
        /// Seconds from the stop signal to SIGKILL.
        public var stopTimeout: Double = 10
        /// Whether a small process stays with a detached sandbox that needs none otherwise, to record how it ended.
        public var recordsExit = true
        /// Bytes of output that are kept, the newest; `nil`: all of it, written by the command itself.
        public var logSize: UInt64?

        public init() {}
    }

    public enum Restart: Sendable, Equatable {
        case no
        /// After an exit status other than 0 or a signal, at most so often in a row; `nil` is without end.
        case onFailure(limit: Int?)
        case always
        /// The same from the sandbox's newest snapshot on, or from the beginning while there is none.
        case fromSnapshot
    }
}
