import Profile

extension FilesystemPlanner {
    /// The caller's own profiles decide what later boxes may do: a box that could write them could let itself out the
    /// next time (firejail #7132). Root's are as safe as the rest of what root can write.
    func kept(_ steps: [MountStep], _ root: FilesystemPlan.Root) -> [MountStep] {
        guard host.uid != 0, root == .host, filesystem.overlay == nil, let folder = host.configuration,
            FilesystemPlanner.remainder(of: folder, below: host.home)?.isEmpty == false, host.home != "/",
            isWritable(folder, steps)
        else { return [] }
        return [MountStep("filesystem", .keep(folder: folder, below: host.home))]
    }

    /// What the last of the steps that reach the path make of it.
    private func isWritable(_ path: String, _ steps: [MountStep]) -> Bool {
        var isWritable = true
        for step in steps {
            func reaches(_ place: String) -> Bool { FilesystemPlanner.remainder(of: path, below: place) != nil }
            switch step.operation {
            case .readOnly(let place, _): if reaches(place) { isWritable = false }
            case .writable(let place): if reaches(place) { isWritable = true }
            // What is there is the box's own.
            case .tmpfs(let place, _, _, _), .hide(let place), .directory(let place, _):
                if reaches(place) { isWritable = false }
            case .bind(let from, let place, let options):
                if reaches(place) { isWritable = from == place && !options.readOnly }
            case .file, .replace, .symlink, .proc, .devices, .tap, .keep: continue
            }
        }
        return isWritable
    }
}
