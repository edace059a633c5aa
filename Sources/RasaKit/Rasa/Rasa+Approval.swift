import RasaCore
import RasaEngine

extension Rasa {
  /// What a person is asked. An approval covers exactly this payload, once.
  public struct Approval: Sendable, Hashable, Identifiable {
    public struct Context: Sendable, Hashable {
      public var name: String
      public var text: String
    }

    public var id: String
    public var run: String
    /// The operator that asks, and the frame that it works in.
    public var step: Step
    /// The question in the operator's words.
    public var title: String
    /// What is decided about: text, or JSON where it is no text.
    public var payload: String
    /// Whether the user is asked for something, and not about something: `.answer` answers it. The
    /// payload is then what is asked, and the JSON Schema of the answer, if it is to have one, is in
    /// `schema`.
    public var wantsAnswer: Bool
    public var schema: String?
    /// What helps to decide.
    public var context: [Context]
    /// Spent so far in this run.
    public var spent: Dollars

    init(_ approval: RasaEngine.Approval) {
      self.init(approval.question, id: approval.id, run: approval.run.text)
    }

    init(_ question: Question, id: String, run: String) {
      self.id = id
      self.run = run
      let key = question.key
      step = Step(
        RasaEngine.Step(frame: key.frame, visit: key.visit, operatorName: key.operatorName))
      title = question.title
      payload = question.form == .answer ? question.asks : question.payload.promptText
      wantsAnswer = question.form == .answer
      schema = question.form == .answer ? question.schema?.json(.compact) : nil
      context = question.context.map { Context(name: $0.name, text: $0.text) }
      spent = Dollars(question.spent)
    }
  }

  public enum Decision: Sendable, Hashable {
    case approve
    /// A replacement of the whole payload: a text for a text, else JSON that fits.
    case edit(String)
    /// The operator sees the reason.
    case reject(reason: String)
    /// A correction: what runs from the short-term frame on runs again.
    case feedback(String)
    /// What the user is asked for: a text, or JSON that fits the schema.
    case answer(String)
    /// Somebody will answer with `rasa approvals`: the run goes as far as it can, and waits.
    case later
  }

  /// Decides what a person is asked.
  public typealias Approve = @Sendable (Approval) async throws -> Decision
}

/// Asks the caller of the library.
struct CallersPeople: People {
  let run: Identifier
  let user: String
  let approve: Rasa.Approve?

  func decide(_ question: Question) async throws -> HumanAnswer? {
    guard let approve else { return nil }
    let id = RasaEngine.Approval.identity(
      run: run, key: question.key, payloadDigest: question.payloadDigest)
    let answer =
      switch try await approve(Rasa.Approval(question, id: id, run: run.text)) {
      case .approve: HumanAnswer(.approve, by: user)
      case .edit(let text): try question.edit(text, by: user)
      case .reject(let reason):
        HumanAnswer(.reject, text: reason.isEmpty ? .null : .string(reason), by: user)
      case .feedback(let text): HumanAnswer(.feedback, text: .string(text), by: user)
      case .answer(let text): try question.reply(text, by: user)
      case .later: nil as HumanAnswer?
      }
    return answer?.having(shown: question.payloadDigest)
  }
}
