extension ProfileReader {
    func checkpoint(_ section: Value) throws(ProfileError) -> Profile.Checkpoint {
        var checkpoint = Profile.Checkpoint()
        checkpoint.enabled = try flag(section["enabled"], "checkpoint.enabled") ?? false
        checkpoint.tcp = try word(section["tcp"], "checkpoint.tcp") ?? .established
        checkpoint.onClone = try texts(section["on-clone"], "checkpoint.on-clone") ?? []
        return checkpoint
    }
}
