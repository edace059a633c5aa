import CSystem
import Glibc
package import RasaCore

/// Reports changes in a set of folders, as long as it exists.
///
/// Only the direct entries of a folder are watched: for a whole tree, add each folder, and new ones when
/// they are reported. To miss nothing, add a folder before listing it.
package final class FolderWatch: Sendable {
  private let core: Core
  private let writeEnd: Descriptor

  /// Changes within `settling` of the previous one are reported together, as an editor or a checkout
  /// changes many files at once.
  package init(settling: Duration = .milliseconds(50)) throws(Failure) {
    let number = inotify_init1(Int32(IN_NONBLOCK) | Int32(IN_CLOEXEC))
    guard number >= 0 else {
      let code = lastError()
      guard code == EMFILE else {
        throw Failure(.run, systemError: code, cannot: "watch", "folders")
      }
      throw Failure(
        .run, "cannot watch folders: this user has too many watches",
        suggestion:
          "raise fs.inotify.max_user_instances (sysctl), or stop other programs that watch")
    }
    let core = Core(Descriptor(owning: number))
    var readEnd: Int32 = -1
    var writeEnd: Int32 = -1
    let code = unsafe rasa_pipe(&readEnd, &writeEnd)
    guard code == 0 else { throw Failure(.run, systemError: code, cannot: "watch", "folders") }
    self.core = core
    self.writeEnd = Descriptor(owning: writeEnd)
    let pause =
      Int32(clamping: settling.components.seconds * 1000)
      + Int32(settling.components.attoseconds / 1_000_000_000_000_000)
    startThread { [readEnd] in
      core.run(until: Descriptor(owning: readEnd), settling: pause)
    }
  }

  // Closing the write end, which follows, ends the thread.
  deinit { stop() }

  /// Whether the folder exists. If not, it is reported and watched once it is created; if it is removed,
  /// that is reported, and it is waited for again.
  @discardableResult
  package func add(_ folder: String) throws(Failure) -> Bool {
    try core.state.withLock { state throws(Failure) in try state.folders.add(folder) }
  }

  package func remove(_ folder: String) {
    core.state.withLock { state in state.folders.remove(folder) }
  }

  /// Waits for the next changes. Nil if the watch has been stopped or the task is cancelled. One caller at a
  /// time: of two, the earlier gets nil.
  package func next() async -> FolderChange? { await core.next() }

  /// The waiting caller and all later ones get nil.
  package func stop() { core.stop() }
}

extension FolderWatch {
  /// What the thread shares with the callers.
  fileprivate final class Core: Sendable {
    struct State: Sendable {
      var folders: WatchedFolders
      /// Reported together once nothing has followed for a while.
      var gathering = FolderChange()
      var change = FolderChange()
      var waiting: (number: UInt64, continuation: CheckedContinuation<FolderChange?, Never>)?
      var numbers: UInt64 = 0
      var isStopped = false
    }

    let descriptor: Descriptor
    let state: Locked<State>

    init(_ descriptor: consuming Descriptor) {
      state = Locked(State(folders: WatchedFolders(descriptor: descriptor.number)))
      self.descriptor = descriptor
    }

    func next() async -> FolderChange? {
      let number = state.withLock { state in
        state.numbers += 1
        return state.numbers
      }
      return await withTaskCancellationHandler {
        await withCheckedContinuation { continuation in
          let (earlier, answer) = state.withLock { state in
            let earlier = state.waiting?.continuation
            state.waiting = nil
            if state.isStopped || !state.change.isEmpty {
              let change = state.isStopped ? nil : state.change
              state.change = FolderChange()
              return (earlier, Optional(change))
            }
            state.waiting = (number, continuation)
            return (earlier, nil)
          }
          earlier?.resume(returning: nil)
          if let answer { continuation.resume(returning: answer) }
          // The task may have been cancelled before the continuation was stored.
          if Task.isCancelled { giveUp(number) }
        }
      } onCancel: {
        giveUp(number)
      }
    }

    private func giveUp(_ number: UInt64) {
      let continuation = state.withLock { state in
        guard state.waiting?.number == number else {
          return nil as CheckedContinuation<FolderChange?, Never>?
        }
        defer { state.waiting = nil }
        return state.waiting?.continuation
      }
      continuation?.resume(returning: nil)
    }

    func stop() {
      let continuation = state.withLock { state in
        state.isStopped = true
        defer { state.waiting = nil }
        return state.waiting?.continuation
      }
      continuation?.resume(returning: nil)
    }

    /// The thread's loop, which ends when the other end of the pipe is closed.
    func run(until readEnd: consuming Descriptor, settling: Int32) {
      var buffer = [UInt8](repeating: 0, count: 64 << 10)
      var wanted = [
        pollfd(fd: descriptor.number, events: Int16(POLLIN), revents: 0),
        pollfd(fd: readEnd.number, events: Int16(POLLIN), revents: 0),
      ]
      var rounds = 0
      while true {
        let count = unsafe poll(&wanted, 2, rounds > 0 ? settling : -1)
        if count < 0 {
          if lastError() == EINTR { continue }
          return
        }
        if wanted[1].revents != 0 { return }
        if count > 0, note(&buffer) { rounds += 1 }
        // Changes that never settle are reported after a while.
        if rounds > 0, count == 0 || settling == 0 || rounds == 20 {
          rounds = 0
          tell()
        }
      }
    }

    /// Reads the events; false if there were none.
    private func note(_ buffer: inout [UInt8]) -> Bool {
      let count = unsafe buffer.withUnsafeMutableBytes {
        unsafe read(descriptor.number, $0.baseAddress, $0.count)
      }
      guard count > 0 else { return false }
      let events = WatchEvent.all(in: buffer[..<count])
      return state.withLock { state in
        for event in events {
          let change = state.folders.note(event)
          state.gathering.merge(change)
        }
        return !state.gathering.isEmpty
      }
    }

    private func tell() {
      let told = state.withLock { state in
        state.change.merge(state.gathering)
        state.gathering = FolderChange()
        guard !state.change.isEmpty, let waiting = state.waiting else {
          return nil as (CheckedContinuation<FolderChange?, Never>, FolderChange)?
        }
        let change = state.change
        state.change = FolderChange()
        state.waiting = nil
        return (waiting.continuation, change)
      }
      told?.0.resume(returning: told?.1)
    }
  }
}
