package import RasaCore
package import RasaEngine
import RasaSystem

/// Places at work, over all processes of a user: an agent that may be at work three times has three
/// files, and whoever works holds the lock of one.
struct ConcurrencySlots: TaskLimits {
  let folder: String
  let time: TimeSource
  let onWait: @Sendable (Warning) -> Void

  /// More at a time is as good as no limit.
  private static let most = 256
  private static let shortest = Duration.milliseconds(10)
  private static let longest = Duration.milliseconds(250)

  func acquireSlot(of agent: String, atMost count: Int) async throws -> any Sendable {
    guard count <= Self.most else { return 0 }
    try FileSystem.makeFolder(folder)
    var pause = Self.shortest
    var isTold = false
    while true {
      for number in 0..<count {
        if let place = try FileLock.take("\(folder)/\(agent).\(number)") { return place }
      }
      if !isTold {
        isTold = true
        onWait(
          Warning(
            "`\(agent)` is at work \(count == 1 ? "once" : "\(count) times") already, which is all "
              + "that its `max_concurrent_tasks` allows; waiting for it"))
      }
      try await time.sleep(pause)
      pause = min(pause * 2, Self.longest)
    }
  }
}

extension CompositionRoot {
  /// Sees to it that agents are not at work more often than their files allow.
  package func taskLimits(onWait: @escaping @Sendable (Warning) -> Void) -> any TaskLimits {
    ConcurrencySlots(folder: "\(folders.state)/places", time: time, onWait: onWait)
  }
}
