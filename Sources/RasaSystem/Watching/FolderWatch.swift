import CSystem
import Glibc
package import RasaCore

/// Tells when something changes in a set of folders, for as long as it is kept.
///
/// A folder stands for what is directly in it: whoever wants all below it adds each folder, and
/// those that come up when they are told of. To miss nothing, a folder is added before it is listed.
package final class FolderWatch: Sendable {
  private let core: Core
  private let writeEnd: Descriptor

  /// What happens within `settling` of what went before is told together, as an editor or a
  /// checkout changes many files at once.
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

  // Closing the write end, which follows, is what ends the thread.
  deinit { stop() }

  /// Whether the folder is there. One that is not is told of, and watched, when it comes up; one
  /// that is removed is told of and waited for again.
  @discardableResult
  package func add(_ folder: String) throws(Failure) -> Bool {
    try core.state.withLock { state throws(Failure) in try state.folders.add(folder) }
  }

  package func remove(_ folder: String) {
    core.state.withLock { state in state.folders.remove(folder) }
  }

  /// What has changed since the last answer, waiting for something to change. Nil when the watch
  /// has been stopped or the task is cancelled. One at a time: of two that wait the earlier gets
  /// nil.
  package func next() async -> FolderChange? { await core.next() }

  /// Whoever waits gets nil, and so does whoever asks from now on.
  package func stop() { core.stop() }
}

extension FolderWatch {
  /// What the thread shares with those who ask.
  fileprivate final class Core: Sendable {
    struct State: Sendable {
      var folders: WatchedFolders
      /// What is told together when nothing follows it for a while.
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
          // The handler may have come before there was anybody to be told.
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

    /// The thread's work: ends when the other end of the pipe is closed.
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
        // What never settles is told at last.
        if rounds > 0, count == 0 || settling == 0 || rounds == 20 {
          rounds = 0
          tell()
        }
      }
    }

    /// Reads what has happened; whether anything has.
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
