/// What has changed in watched folders since the last report.
package struct FolderChange: Sendable, Hashable {
  /// The watched folders in which something was created, written, renamed or removed, and those that were
  /// created or removed themselves, by the paths that they were added under.
  package var folders: Set<String> = []
  /// The new folders in watched ones. They are not watched until they are added.
  package var newFolders: Set<String> = []
  /// Events were lost: anything may have changed.
  package var isEverything = false

  package init(
    folders: Set<String> = [], newFolders: Set<String> = [], isEverything: Bool = false
  ) {
    self.folders = folders
    self.newFolders = newFolders
    self.isEverything = isEverything
  }

  var isEmpty: Bool { folders.isEmpty && newFolders.isEmpty && !isEverything }

  mutating func merge(_ other: FolderChange) {
    folders.formUnion(other.folders)
    newFolders.formUnion(other.newFolders)
    isEverything = isEverything || other.isEverything
  }
}
