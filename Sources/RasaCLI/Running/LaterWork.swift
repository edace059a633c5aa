import RasaCore
import RasaKit

/// What a chat keeps beside its answers: work that is done while its person reads and types, one thing after another, and what has
/// been said already. Whoever owns it waits for the work before the program ends.
final class LaterWork: Sendable {
  private let last = Locked<Task<Void, Never>?>(nil)
  private let problems = Locked<[String]>([])
  private let shortened = Locked<Set<String>>([])

  func start(_ work: @escaping @Sendable () async -> Void) {
    last.withLock { last in
      let before = last
      last = Task {
        await before?.value
        await work()
      }
    }
  }

  /// False for what each further answer of a chat would say again: that the conversation is too long for that model.
  func isNews(_ notice: Rasa.Notice) -> Bool {
    guard notice.kind == "history" else { return true }
    let model = notice.facts.value["model"].string ?? ""
    return shortened.withLock { $0.insert(model).inserted }
  }

  /// Notes what came to nothing.
  func note(_ problem: String) { problems.withLock { $0.append(problem) } }

  /// What has been noted since it was last asked for.
  func takeProblems() -> [String] {
    problems.withLock { problems in
      defer { problems = [] }
      return problems
    }
  }

  func finish() async { await last.withLock { $0 }?.value }
}
