import Glibc
import RasaCore
import RasaSystem
import RasaTestKit
import Testing

@Suite(.timeLimit(.minutes(1))) struct FolderWatchTests {
  let folder: ScratchDirectory
  init() throws { folder = ScratchDirectory() }

  /// All reported changes until they include the expected ones.
  private func changes(
    of watch: FolderWatch, until isEnough: (FolderChange) -> Bool
  ) async -> FolderChange {
    var all = FolderChange()
    while !isEnough(all), let change = await watch.next() {
      all.folders.formUnion(change.folders)
      all.newFolders.formUnion(change.newFolders)
      all.isEverything = all.isEverything || change.isEverything
    }
    return all
  }

  @Test func tellsInWhichFolderAFileWasWrittenRenamedOrRemoved() async throws {
    let one = folder.path + "/one"
    let two = folder.path + "/two"
    try FileSystem.makeFolder(one)
    try FileSystem.makeFolder(two)
    let watch = try FolderWatch(settling: .zero)
    #expect(try watch.add(one) && watch.add(two))
    try FileSystem.write("x", to: one + "/a")
    #expect(await changes(of: watch) { !$0.folders.isEmpty } == FolderChange(folders: [one]))
    _ = unsafe rename(one + "/a", two + "/a")
    #expect(await changes(of: watch) { $0.folders.contains(two) }.folders.contains(two))
    try FileSystem.removeFile(two + "/a")
    #expect(await changes(of: watch) { $0.folders.contains(two) }.folders == [two])
  }

  @Test func tellsABurstAtOnce() async throws {
    let watch = try FolderWatch(settling: .milliseconds(200))
    try watch.add(folder.path)
    async let change = watch.next()
    for number in 0..<200 { try FileSystem.write("x", to: folder.path + "/\(number)") }
    #expect(await change == FolderChange(folders: [folder.path]))
  }

  @Test func tellsOfNewFolders() async throws {
    let watch = try FolderWatch(settling: .zero)
    try watch.add(folder.path)
    let new = folder.path + "/new"
    try FileSystem.makeFolder(new)
    #expect(await changes(of: watch) { !$0.newFolders.isEmpty }.newFolders == [new])
    try watch.add(new)
    try FileSystem.write("x", to: new + "/a")
    #expect(await changes(of: watch) { $0.folders.contains(new) }.folders.contains(new))
  }

  @Test func waitsForAFolderThatIsNotThere() async throws {
    let deep = folder.path + "/a/b/c"
    let watch = try FolderWatch(settling: .zero)
    #expect(try !watch.add(deep))
    try FileSystem.write("x", to: folder.path + "/unrelated")
    try FileSystem.makeFolder(deep)
    #expect(await changes(of: watch) { $0.folders.contains(deep) }.folders == [deep])
    try FileSystem.write("x", to: deep + "/file")
    #expect(await changes(of: watch) { $0.folders.contains(deep) }.folders == [deep])
  }

  @Test func waitsForARemovedOrMovedFolderToReappear() async throws {
    let inner = folder.path + "/inner"
    try FileSystem.makeFolder(inner)
    let watch = try FolderWatch(settling: .zero)
    try watch.add(inner)
    try FileSystem.removeFolder(inner)
    #expect(await changes(of: watch) { $0.folders.contains(inner) }.folders == [inner])
    try FileSystem.makeFolder(inner)
    #expect(await changes(of: watch) { $0.folders.contains(inner) }.folders == [inner])
    #expect(unsafe rename(inner, folder.path + "/elsewhere") == 0)
    #expect(await changes(of: watch) { $0.folders.contains(inner) }.folders == [inner])
    #expect(unsafe rename(folder.path + "/elsewhere", inner) == 0)
    #expect(await changes(of: watch) { $0.folders.contains(inner) }.folders == [inner])
    try FileSystem.write("x", to: inner + "/file")
    #expect(await changes(of: watch) { $0.folders.contains(inner) }.folders == [inner])
  }

  @Test func reportsNothingAboutAnUnwatchedFolder() async throws {
    let one = folder.path + "/one"
    try FileSystem.makeFolder(one)
    let watch = try FolderWatch(settling: .zero)
    try watch.add(folder.path)
    try watch.add(one)
    watch.remove(one)
    try FileSystem.write("x", to: one + "/a")
    try FileSystem.write("x", to: folder.path + "/b")
    #expect(await changes(of: watch) { !$0.folders.isEmpty }.folders == [folder.path])
  }

  @Test func keepsEventsUntilTheyAreRead() async throws {
    let watch = try FolderWatch(settling: .zero)
    try watch.add(folder.path)
    try FileSystem.write("x", to: folder.path + "/a")
    #expect(await watch.next()?.folders == [folder.path])
  }

  @Test func endsAtOnceWhenTheTaskIsCancelled() async throws {
    let watch = try FolderWatch()
    try watch.add(folder.path)
    let waiting = Task { await watch.next() }
    waiting.cancel()
    #expect(await waiting.value == nil)
    try FileSystem.write("x", to: folder.path + "/a")
    #expect(await watch.next()?.folders == [folder.path])
  }

  @Test func endsAtOnceWhenStopped() async throws {
    let watch = try FolderWatch()
    let waiting = Task { await watch.next() }
    watch.stop()
    #expect(await waiting.value == nil)
    #expect(await watch.next() == nil)
  }

  @Test func refusesFoldersThatCannotBeWatched() throws {
    let file = folder.path + "/file"
    try FileSystem.write("x", to: file)
    let watch = try FolderWatch()
    #expect(try !watch.add(file))
    #expect(try !watch.add(file + "/below"))
  }
}
