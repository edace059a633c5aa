import CSystem
import Glibc
package import RasaCore
import RasaSystem

/// A program in a pseudo-terminal, and the person using it.
package final class TerminalSession: Sendable {
  private struct Screen {
    var bytes: [UInt8] = []
    /// Everything before this has already been matched.
    var seen = 0
    var isClosed = false
    var hasHungUp = false
    var exitCode: Int32?
  }

  private let descriptor: Int32
  private let columns: Int32
  private let child: ChildProcess
  private let screen = Locked(Screen())

  /// `environment` is everything that the program gets; `TERM` is added if missing.
  package init(
    _ program: String, _ arguments: [String] = [], environment: [String: String] = [:],
    folder: String? = nil, columns: Int32 = 100
  ) throws(Failure) {
    self.columns = columns
    var name = [CChar](repeating: 0, count: 256)
    descriptor = unsafe rasa_open_terminal(columns, &name, name.count)
    guard descriptor >= 0 else { throw Failure(.run, "there is no pseudo-terminal to be had") }
    let terminal = String(
      decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    do {
      child = try ChildProcess.spawn(
        program, arguments, environment: ["TERM": "xterm"].merging(environment) { $1 },
        folder: folder, terminal: terminal)
    } catch {
      close(descriptor)
      throw error
    }
  }

  deinit {
    if screen.withLock({ $0.exitCode }) == nil {
      child.killAll()
      _ = child.wait(until: .max)
    }
    if !screen.withLock({ $0.hasHungUp }) { close(descriptor) }
  }

  /// Closes the terminal, as by closing its window. Returns the program's exit code.
  package func hangUp(limit: Duration = .seconds(60)) async throws -> Int32 {
    screen.withLock { screen in
      screen.isClosed = true
      screen.hasHungUp = true
    }
    close(descriptor)
    return try await waitForExit(limit: limit)
  }

  /// All output so far, including escape sequences.
  package var transcript: String {
    String(decoding: screen.withLock { $0.bytes }, as: UTF8.self)
  }

  /// The screen after all output so far.
  package var grid: ScreenGrid {
    var grid = ScreenGrid(columns: Int(columns))
    screen.withLock { grid.write($0.bytes) }
    return grid
  }

  /// Changes the width of the terminal and notifies its programs.
  package func resize(columns: Int32) { rasa_resize_terminal(descriptor, columns) }

  /// Types: `\r` ends a line, Ctrl-C is `\u{3}`, Ctrl-D `\u{4}`.
  package func send(_ text: String) {
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty, let count = writeSome(rest, to: descriptor) {
      rest = rest.dropFirst(count)
    }
  }

  package func signal(_ number: Int32) { child.signal(number) }

  /// Reads until the text appears after the previous match; returns the output up to and including
  /// it.
  @discardableResult
  package func expect(_ text: String, limit: Duration = .seconds(60)) async throws -> String {
    let found = try await read(limit: limit, until: "\"\(text)\"") { screen in
      let unseen = screen.bytes[screen.seen...]
      guard let end = endOf(Array(text.utf8), in: unseen) else { return nil }
      defer { screen.seen = end }
      return Array(unseen[..<end])
    }
    return String(decoding: found, as: UTF8.self)
  }

  /// Reads until the program has ended; returns its exit code, 128 and more for signals.
  package func waitForExit(limit: Duration = .seconds(60)) async throws -> Int32 {
    if let code = screen.withLock({ $0.exitCode }) { return code }
    _ = try await read(limit: limit, until: "its end") { $0.isClosed ? [] : nil }
    let deadline = monotonicNanoseconds() &+ nanoseconds(limit)
    let code = await onOwnThread { [child] in child.wait(until: deadline) }
    screen.withLock { $0.exitCode = code ?? -1 }
    guard let code else { throw Failure(.timeout, "the program closed its terminal but went on") }
    return code
  }

  private func read(
    limit: Duration, until description: String,
    _ find: @escaping @Sendable (inout Screen) -> [UInt8]?
  ) async throws -> [UInt8] {
    let deadline = monotonicNanoseconds() &+ nanoseconds(limit)
    let found = await onOwnThread { [self] in
      while true {
        let (found, isClosed) = screen.withLock { screen -> ([UInt8]?, Bool) in
          while !screen.isClosed {
            switch readSome(from: descriptor, into: &screen.bytes) {
            case .some: continue
            case .nothingYet: return (find(&screen), false)
            case .end: screen.isClosed = true
            }
          }
          return (find(&screen), true)
        }
        if found != nil || isClosed || monotonicNanoseconds() >= deadline { return found }
        waitUntilReady([(descriptor, POLLIN)], until: deadline)
      }
    }
    guard let found else {
      throw Failure(
        .timeout, "waited in vain for \(description); the terminal shows: \(transcript)")
    }
    return found
  }
}

/// Where the first occurrence ends.
private func endOf(_ needle: [UInt8], in bytes: ArraySlice<UInt8>) -> Int? {
  guard !needle.isEmpty else { return bytes.startIndex }
  guard bytes.count >= needle.count else { return nil }
  return (bytes.startIndex...(bytes.endIndex - needle.count)).first {
    bytes[$0..<($0 + needle.count)].elementsEqual(needle)
  }.map { $0 + needle.count }
}
