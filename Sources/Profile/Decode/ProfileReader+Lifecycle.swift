extension ProfileReader {
    func lifecycle(_ section: Value) throws(ProfileError) -> Profile.Lifecycle {
        var lifecycle = Profile.Lifecycle()
        if let text = try text(section["restart"], "lifecycle.restart") {
            guard let restart = Profile.Restart(text: text) else { throw notRead("lifecycle.restart") }
            lifecycle.restart = restart
        }
        if let delay = try duration(section["restart-delay"], "lifecycle.restart-delay") {
            lifecycle.restartDelay = delay
        }
        if let name = try text(section["stop-signal"], "lifecycle.stop-signal") {
            lifecycle.stopSignal = Names.signal(name)
        }
        if let timeout = try duration(section["stop-timeout"], "lifecycle.stop-timeout") {
            lifecycle.stopTimeout = Double(timeout) / 1000
        }
        lifecycle.recordsExit = try flag(section["record-exit"], "lifecycle.record-exit") ?? true
        lifecycle.logSize = try size(section["log-size"], "lifecycle.log-size")
        return lifecycle
    }
}
