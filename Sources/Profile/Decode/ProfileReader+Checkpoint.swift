extension ProfileReader {
    func checkpoint(_ section: Value) throws(ProfileError) -> Profile.Checkpoint {
        var checkpoint = Profile.Checkpoint()
        checkpoint.enabled = try flag(section["enabled"], "checkpoint.enabled") ?? false
        checkpoint.tcp = try word(section["tcp"], "checkpoint.tcp") ?? .established
        checkpoint.onClone = try texts(section["on-clone"], "checkpoint.on-clone") ?? []
        checkpoint.every = try duration(section["every"], "checkpoint.every")
        checkpoint.keep = try integer(section["keep"], "checkpoint.keep") ?? checkpoint.keep
        checkpoint.compression = try word(section["compression"], "checkpoint.compression") ?? .none
        checkpoint.preCopy = try flag(section["pre-copy"], "checkpoint.pre-copy") ?? false
        return checkpoint
    }
}
