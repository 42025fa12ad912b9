import Checkpoint

/// Names of snapshots with what they are of, for completion. A store that cannot be read offers none.
func snapshotCandidates() -> [Candidate] {
    do throws(SnapshotError) {
        let snapshots = try SnapshotStore.ofCaller().snapshots { _, _ in }
        return snapshots.map { Candidate(word: $0.manifest.id, text: $0.manifest.sandbox) }
    } catch {
        return []
    }
}
