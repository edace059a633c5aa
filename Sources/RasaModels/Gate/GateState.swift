import RasaCore
import RasaEngine

/// What the gate has learnt in this process. A value under the gate's lock.
struct GateState: Sendable {
  /// One model at one provider.
  struct Key: Sendable, Hashable {
    var provider: String
    var model: String
  }

  private static let memory: Duration = .seconds(300)
  private static let mostEntries = 1_000

  private var unavailableUntil: [Key: UInt64] = [:]
  private var firstContent: [Key: UInt64] = [:]
  private var quirks: [Key: WireQuirks] = [:]
  private var warned: Set<String> = []
  /// What each provider lists.
  var listed: [String: [ListedModel]] = [:]
  /// The configuration with what was found by looking, once that has been done.
  var found: ModelConfiguration?

  func isUnavailable(_ key: Key, at now: UInt64) -> Bool {
    unavailableUntil[key].map { now < $0 } ?? false
  }

  mutating func note(_ problem: ProviderProblem, of key: Key, at now: UInt64) {
    guard problem.isAboutAvailability, unavailableUntil.count < Self.mostEntries else { return }
    let time = problem.retryAfter.map { min($0, Self.memory) } ?? Self.memory
    unavailableUntil[key] = now.advanced(by: time)
  }

  mutating func noteAnswer(of key: Key, firstContentAfter nanoseconds: UInt64?) {
    unavailableUntil[key] = nil
    guard let nanoseconds, firstContent.count < Self.mostEntries else { return }
    // Half of what was known, half of what is new: recent calls count most.
    firstContent[key] = firstContent[key].map { $0 / 2 + nanoseconds / 2 } ?? nanoseconds
  }

  func firstContent(of key: Key) -> UInt64? { firstContent[key] }

  func quirks(of key: Key) -> WireQuirks? { quirks[key] }

  mutating func remember(_ quirks: WireQuirks, of key: Key) {
    if self.quirks.count < Self.mostEntries { self.quirks[key] = quirks }
  }

  /// Whether this is the first time that this is said.
  mutating func isNew(warning: String) -> Bool {
    warned.count < Self.mostEntries && warned.insert(warning).inserted
  }
}
