import CSystem
import Glibc
import RasaCore

/// Maps folders to the kernel's watches, and events to changes of folders.
///
/// A missing folder is waited for: its nearest existing parent is watched until the next folder on the
/// path is created.
struct WatchedFolders {
  private let descriptor: Int32
  /// A folder may have been added under several paths.
  private var paths: [Int32: Set<String>] = [:]
  private var watches: [String: Int32] = [:]
  /// Folders that are waited for, by the parent that is watched instead.
  private var awaited: [Int32: Set<String>] = [:]

  init(descriptor: Int32) { self.descriptor = descriptor }

  /// Whether the folder exists. It is watched from now on, or waited for.
  mutating func add(_ folder: String) throws(Failure) -> Bool {
    if watches[folder] != nil { return true }
    if let watch = try watch(folder) {
      paths[watch, default: []].insert(folder)
      watches[folder] = watch
      stopAwaiting(folder)
      return true
    }
    try waitFor(folder)
    return watches[folder] != nil
  }

  mutating func remove(_ folder: String) {
    stopAwaiting(folder)
    guard let watch = watches.removeValue(forKey: folder) else { return }
    paths[watch]?.remove(folder)
    endIfUnused(watch)
  }

  /// What an event means.
  mutating func note(_ event: WatchEvent) -> FolderChange {
    var change = FolderChange()
    if event.has(IN_Q_OVERFLOW) {
      change.isEverything = true
      // A folder that is waited for may be among the lost events.
      for folder in Set(awaited.values.joined()) {
        if (try? add(folder)) == true { change.folders.insert(folder) }
      }
      return change
    }
    let folders = paths[event.watch] ?? []
    if event.has(IN_DELETE_SELF | IN_MOVE_SELF | IN_UNMOUNT | IN_IGNORED) {
      // After IN_MOVE_SELF the watch would follow the folder to its new place.
      let lost = folders.union(awaited[event.watch] ?? [])
      if event.has(IN_MOVE_SELF) { inotify_rm_watch(descriptor, event.watch) }
      forget(event.watch)
      change.folders = folders
      for folder in lost where (try? add(folder)) == true { change.folders.insert(folder) }
      return change
    }
    change.folders = folders
    if !event.name.isEmpty, event.has(IN_ISDIR), event.has(IN_CREATE | IN_MOVED_TO) {
      change.newFolders = Set(folders.map { "\($0)/\(event.name)" })
    }
    for folder in awaited[event.watch] ?? [] where (try? add(folder)) == true {
      change.folders.insert(folder)
    }
    return change
  }

  // MARK: Waiting

  private mutating func waitFor(_ folder: String) throws(Failure) {
    stopAwaiting(folder)
    var above = FileSystem.parent(of: folder)
    while true {
      if let watch = try watch(above) {
        awaited[watch, default: []].insert(folder)
        // It, or one on the path to it, may have been created before this watch.
        if FileSystem.kind(of: next(below: above, towards: folder)) == .folder {
          stopAwaiting(folder)
          _ = try add(folder)
        }
        return
      }
      let higher = FileSystem.parent(of: above)
      if higher == above { return }
      above = higher
    }
  }

  /// The folder directly below `above` on the path to another.
  private func next(below above: String, towards folder: String) -> String {
    var path = folder
    while FileSystem.parent(of: path) != above, FileSystem.parent(of: path) != path {
      path = FileSystem.parent(of: path)
    }
    return path
  }

  private mutating func stopAwaiting(_ folder: String) {
    for (watch, folders) in awaited where folders.contains(folder) {
      awaited[watch]?.remove(folder)
      endIfUnused(watch)
    }
  }

  // MARK: The kernel

  private static let mask =
    IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_ATTRIB
    | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR

  /// The kernel's watch of a folder; nil if there is no such folder.
  private func watch(_ folder: String) throws(Failure) -> Int32? {
    let watch = unsafe inotify_add_watch(descriptor, folder, UInt32(Self.mask))
    if watch >= 0 { return watch }
    switch lastError() {
    case ENOENT, ENOTDIR: return nil
    case ENOSPC:
      throw Failure(
        .configuration, "cannot watch \(folder): too many folders are watched on this machine",
        suggestion: "raise fs.inotify.max_user_watches (sysctl)")
    case let code: throw Failure(.configuration, systemError: code, cannot: "watch", folder)
    }
  }

  private mutating func forget(_ watch: Int32) {
    for folder in paths.removeValue(forKey: watch) ?? [] { watches[folder] = nil }
    awaited[watch] = nil
  }

  private mutating func endIfUnused(_ watch: Int32) {
    if awaited[watch]?.isEmpty == true { awaited[watch] = nil }
    if paths[watch]?.isEmpty == true { paths[watch] = nil }
    if paths[watch] == nil, awaited[watch] == nil { inotify_rm_watch(descriptor, watch) }
  }
}
