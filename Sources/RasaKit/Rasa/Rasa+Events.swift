import RasaCore
import RasaEngine

extension Rasa {
  /// One round of an operator in a frame.
  public struct Step: Sendable, Hashable, Codable {
    /// The frame that the operator belongs to.
    public var frame: String
    /// Counts the visits of that frame, from 1.
    public var visit: Int
    /// The operator, or the agent that is the frame's work.
    public var name: String
    /// Beyond 1, after a person's rejection.
    public var round: Int

    init(_ step: RasaEngine.Step) {
      frame = step.frame
      visit = step.visit
      name = step.operatorName
      round = step.round
    }
  }

  /// One answer of a model.
  public struct Call: Sendable, Hashable, Codable {
    /// The provider that answered.
    public var provider: String
    /// The model that answered.
    public var model: String
    /// Tokens of input, as billed.
    public var inputTokens: Int
    /// Tokens of output, reasoning included, as billed.
    public var outputTokens: Int
    /// What the answer cost.
    public var cost: Dollars
    /// How the answer ended: `stop`, `length`, `tool_calls`, `cut_off`; more may come.
    public var finish: String
    /// `provider:model` that was named or asked first, where another one answered.
    public var insteadOf: String?
    /// Whether the mock answered, because no provider is configured or it was asked for.
    public var isMock: Bool

    init(_ answer: ModelAnswer) {
      provider = answer.provider
      model = answer.model
      inputTokens = Int(answer.usage.input)
      outputTokens = Int(answer.usage.output)
      cost = Dollars(answer.cost)
      finish = answer.finish.rawValue
      insteadOf = answer.fallback?.insteadOf
      isMock = answer.isMock
    }
  }

  /// Something that a reader of the answer has to know and cannot see from it: its end is missing,
  /// another model answered, an operator was left out.
  public struct Notice: Sendable, Hashable, Codable {
    /// `cut`, `continued`, `fallback`, `skipped`, `objection`, `waiting`, `accounting`, `limit`, `chosen`, `hook`,
    /// `context`, `recall`, `memory`, `history`; more may come.
    public var kind: String
    /// Nil when it is about the whole run.
    public var step: Step?
    /// What happened, as one sentence.
    public var message: String
    /// The setting to change; empty when there is nothing to do.
    public var suggestion: String
    /// What a program wants to know of it, by name: `finish`, `instead_of`, `because`, `continued`; more
    /// may come.
    public var facts: JSON
    /// The notice as JSON documents have it.
    public var json: JSON

    init(_ notice: RunNotice) {
      facts = JSON(.object(notice.facts))
      json = JSON(notice.value)
      kind = notice.kind.rawValue
      step = notice.step.map { Step($0) }
      message = notice.message
      suggestion = notice.suggestion
    }
  }

  /// What happens in a run. More cases may come.
  @nonexhaustive
  public enum Event: Sendable, Hashable {
    /// The run has begun; `rasa runs show` knows it by this id.
    case started(run: String)
    /// An operator has begun its work.
    case stepStarted(Step)
    /// The model that answers this step.
    case modelChosen(Step, provider: String, model: String)
    /// What a model thinks before it answers.
    case reasoning(Step, String)
    /// Text of a step as it arrives, whether it is output or held back. Only an ``Observer`` gets it.
    case received(Step, String)
    /// What a step has written so far no longer counts: it writes it again, or nothing.
    case restarted(Step, Restart)
    /// An operator has done its work, with the answers that it took.
    case stepFinished(Step, calls: [Call])
    /// A route led somewhere else than onwards.
    case moved(from: String, to: String, reason: String)
    /// A route led back to an earlier operator.
    case sentBack(SentBack)
    /// A tool is used: by an operator, or because a model asked for it.
    case tool(Step, ToolActivity)
    /// A person is asked: `approve` of the run is called.
    case asked(Approval)
    /// Something odd that does not stop the run.
    case warning(String)
    /// Something that a reader of the answer has to know and cannot see from it.
    case notice(Notice)
    /// A piece of the answer, in order. What could still be changed is held back until it cannot.
    case output(String)
  }

  /// The result of a run.
  public struct RunResult: Sendable, Hashable {
    /// Its id.
    public var run: String
    /// The conversation that it belongs to.
    public var session: String?
    /// The answer; empty for a run that waits for a person.
    public var text: String
    /// The answer as JSON, for one that is not a text.
    public var json: String
    /// The answer; `null` for a run that waits for a person.
    public var output: JSON
    /// What operators wrote, by key.
    public var state: JSON
    /// The persona or agent.
    public var persona: String
    /// What was attached to the input, and how many tokens it was: an array of objects.
    public var attachments: JSON
    /// Images and documents that tools have returned to operators of kind `tool`, each under another name.
    public var files: [ReturnedFile]
    /// What the run cost.
    public var cost: Dollars
    /// Tokens of input, as billed.
    public var inputTokens: Int
    /// Tokens of output, reasoning included, as billed.
    public var outputTokens: Int
    /// Those tokens of input that a provider had cached.
    public var cachedInputTokens: Int
    /// Those tokens of output that were reasoning.
    public var reasoningTokens: Int
    /// Whether all tokens are as providers reported them. Otherwise some are estimated.
    public var isReported: Bool
    /// How many operators ran, and how often models were asked.
    public var steps: Int
    /// How often models were asked.
    public var calls: Int
    /// Whether the mock had a part in it.
    public var usedMock: Bool
    /// Why the mock answered, unless that was asked for.
    public var mockReason: String?
    /// The models that answered, as `provider:model`, each once.
    public var answeredBy: [String]
    /// The model that was named or would have come first, where another answered, and why.
    public var insteadOf: String?
    /// Why that model did not answer.
    public var because: String?
    /// The questions that it waits for; once they are answered, `Rasa.resume(_:)` continues it.
    public var pending: [Approval]
    /// What was odd and did not stop the run.
    public var warnings: [String]
    /// How the answer ended: `stop`, or `length` or `cut_off` when its end is missing; more may come.
    public var finish: String
    /// How often models were asked to continue an answer that had been cut off.
    public var continued: Int
    /// What its reader has to know about the answer.
    public var notices: [Notice]

    /// Whether the end of the answer is there.
    public var isComplete: Bool { FinishReason(recorded: finish)?.isWhole ?? false }

    init(_ result: RasaEngine.RunResult, run: String, warnings: [String]) {
      self.run = run
      output = JSON(result.output)
      state = JSON(result.writtenState)
      persona = result.state["persona.name"].promptText
      attachments = JSON(.array(result.attachments.map(\.value)))
      files = ReturnedFile.files(result.files)
      cachedInputTokens = Int(clamping: result.usage.cachedInput)
      reasoningTokens = Int(clamping: result.usage.reasoning)
      isReported = result.usage.isReported
      mockReason = result.mockReason
      session = result.session
      text = result.output.promptText
      json = result.output.json()
      cost = Dollars(result.cost)
      inputTokens = Int(result.usage.input)
      outputTokens = Int(result.usage.output)
      steps = result.steps
      calls = result.calls
      usedMock = result.usedMock
      answeredBy = result.answeredBy
      insteadOf = result.fallback?.insteadOf
      because = result.fallback?.because
      pending = result.waitsFor.map { Approval($0) }
      finish = result.finish.rawValue
      continued = result.continued
      notices = result.notices.map { Notice($0) }
      self.warnings = warnings
    }
  }
}

extension Rasa.Event {
  /// Nil for what is not told.
  init?(_ progress: RunProgress) {
    switch progress {
    case .event(.started(let start)): self = .started(run: start.run.text)
    case .event(.moved(let from, let to, let reason)):
      self = .moved(from: from, to: to, reason: reason)
    case .event(.asked(let approval)): self = .asked(Rasa.Approval(approval))
    case .event(.warned(let text)): self = .warning(text)
    case .event: return nil
    case .textArrived(let step, let text): self = .received(Rasa.Step(step), text)
    case .sentBack(let way): self = .sentBack(Rasa.SentBack(way))
    case .operatorStarted(let step, _): self = .stepStarted(Rasa.Step(step))
    case .modelChosen(let step, let provider, let model):
      self = .modelChosen(Rasa.Step(step), provider: provider, model: model)
    case .restarted(let step, let restart):
      self = .restarted(Rasa.Step(step), Rasa.Restart(restart))
    case .operatorEnded(let step, let answers):
      self = .stepFinished(Rasa.Step(step), calls: answers.map { Rasa.Call($0) })
    case .output(let text): self = .output(text)
    case .reasoning(let step, let text): self = .reasoning(Rasa.Step(step), text)
    case .notice(let notice): self = .notice(Rasa.Notice(notice))
    case .tool(let step, let activity):
      self = .tool(Rasa.Step(step), Rasa.ToolActivity(activity))
    }
  }
}

extension RasaEngine.RunResult {
  /// What operators wrote, without what the runtime provided.
  fileprivate var writtenState: Value {
    .object(
      ValueObject(
        (state.value.object ?? ValueObject())
          .filter { !State.provided.contains($0.key) && $0.key != "output" }
          .map { ($0.key, $0.value) }))
  }
}
