package import RasaCore

/// A cache of compiled templates by path, valid while the file has the same size and time.
package final class PromptCache: Sendable {
  /// Identifies the version of a file that was read.
  package struct Stamp: Sendable, Hashable {
    package var size: Int64
    /// The modification time, in nanoseconds.
    package var modified: Int64
    package init(size: Int64, modified: Int64) {
      self.size = size
      self.modified = modified
    }
  }

  fileprivate struct Entry {
    var template: Template
    var stamp: Stamp
    var made: UInt64
    var used: UInt64
    var cost: Int
  }

  fileprivate struct State {
    var entries: [String: Entry] = [:]
    var cost = 0
    var uses: UInt64 = 0
  }

  private let state = Locked(State())
  private let limit: Int
  private let lifetime: UInt64?
  private let now: @Sendable () -> UInt64

  /// - Parameters:
  ///   - limit: the maximum number of bytes of text.
  ///   - lifetime: how long an entry is kept although its file seems unchanged; nil for no limit.
  ///   - now: monotonic nanoseconds.
  package init(
    limit: Int = 16 << 20, lifetime: Duration? = nil, now: @escaping @Sendable () -> UInt64
  ) {
    self.limit = limit
    self.lifetime = lifetime.map { lifetime in
      let (seconds, attoseconds) = lifetime.components
      let (nanoseconds, isOver) = UInt64(clamping: seconds)
        .multipliedReportingOverflow(by: 1_000_000_000)
      return isOver ? .max : nanoseconds &+ UInt64(clamping: attoseconds / 1_000_000_000)
    }
    self.now = now
  }

  /// The template of a file, from the cache or from `read`. Reading happens outside the lock, so
  /// concurrent callers may each read.
  package func template(
    of path: String, _ stamp: Stamp, read: () throws(Failure) -> Template
  ) throws(Failure) -> Template {
    let time = now()
    let known = state.withLock { state -> Template? in
      guard var entry = state.entries[path] else { return nil }
      guard entry.stamp == stamp, !isOld(entry, at: time) else {
        state.remove(path)
        return nil
      }
      state.uses += 1
      entry.used = state.uses
      state.entries[path] = entry
      return entry.template
    }
    if let known { return known }
    let template = try read()
    keep(template, of: path, stamp, at: time)
    return template
  }

  package func clear() { state.withLock { $0 = State() } }

  /// The number of entries.
  package var count: Int { state.withLock { $0.entries.count } }

  private func isOld(_ entry: Entry, at time: UInt64) -> Bool {
    guard let lifetime else { return false }
    return time >= entry.made && time - entry.made >= lifetime
  }

  private func keep(_ template: Template, of path: String, _ stamp: Stamp, at time: UInt64) {
    let cost = template.bytes.count + template.segments.count * 32 + path.utf8.count + 256
    guard cost <= limit else { return }
    state.withLock { state in
      state.remove(path)
      state.uses += 1
      state.entries[path] = Entry(
        template: template, stamp: stamp, made: time, used: state.uses, cost: cost)
      state.cost += cost
      if state.cost > limit { state.makeRoom(limit) }
    }
  }
}

extension PromptCache.State {
  fileprivate mutating func remove(_ path: String) {
    if let entry = entries.removeValue(forKey: path) { cost -= entry.cost }
  }

  /// Evicts the least recently used entries until half of the room is free, so that this happens
  /// rarely.
  fileprivate mutating func makeRoom(_ limit: Int) {
    for (path, _) in entries.sorted(by: { $0.value.used < $1.value.used }) {
      if cost <= limit / 2 || entries.count == 1 { return }
      remove(path)
    }
  }
}
