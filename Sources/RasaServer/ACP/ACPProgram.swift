import RasaCore
import RasaDocuments
package import RasaKit
package import RasaSystem

/// `rasa acp`: an agent at the two pipes of an editor that has started it.
///
/// Specification: agentclientprotocol.com, version 1.
package struct ACPProgram {
  package enum Choice: Sendable, Hashable { case best, persona(String), agent(String) }

  private let choice: Choice
  private let open: @Sendable (String) throws -> Rasa
  private let note: @Sendable (String) -> Void

  /// - Parameters:
  ///   - choice: who answers in a session, until its user chooses another.
  ///   - open: opens rasa for the project in a folder.
  ///   - note: gets what is said on standard error.
  package init(
    _ choice: Choice, open: @escaping @Sendable (String) throws -> Rasa,
    note: @escaping @Sendable (String) -> Void
  ) {
    self.choice = choice
    self.open = open
    self.note = note
  }

  /// Serves until the input ends or the task is cancelled.
  ///
  /// - Returns: how many runs were parked then.
  package func serve(input: Int32, output: Output) async throws -> Int {
    let agent = ACPAgent(choice, open: open, note: note)
    let connection = PeerConnection(
      input: try StreamReader(input, named: "standard input"), output: output, agent.handler)
    let result: Result<Int, any Error>
    do { result = .success(try await connection.serve()) } catch { result = .failure(error) }
    await agent.close()
    return try result.get()
  }
}

extension ACPProgram.Choice {
  static let bestID = "auto"

  /// As sessions name it.
  var id: String {
    switch self {
    case .best: Self.bestID
    case .persona(let name): "persona:\(name)"
    case .agent(let id): "agent:\(id)"
    }
  }

  init?(id: String) {
    if id == Self.bestID {
      self = .best
    } else if id.hasBytePrefix("persona:") {
      self = .persona(String(id.dropFirst(8)))
    } else if id.hasBytePrefix("agent:") {
      self = .agent(String(id.dropFirst(6)))
    } else {
      return nil
    }
  }

  func prepare(_ rasa: Rasa, _ input: String, _ options: Rasa.RunOptions) async throws
    -> Rasa.Runnable
  {
    switch self {
    case .best: try await rasa.prepare(bestFor: input, options: options).runnable
    case .persona(let name): try await rasa.prepare(persona: name)
    case .agent(let id): try await rasa.prepare(agent: id)
    }
  }
}
