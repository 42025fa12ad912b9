import Glibc

/// Takes all the open files that this process may have (setrlimit(2)): each sandbox that is waited for is held by one.
/// Where that fails, the usual number has to do.
func raiseDescriptorLimit() {
    var limit = rlimit()
    guard getrlimit(RLIMIT_NOFILE, &limit) == 0 else { return }
    limit.rlim_cur = limit.rlim_max
    setrlimit(RLIMIT_NOFILE, &limit)
}
