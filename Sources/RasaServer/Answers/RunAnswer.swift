import RasaCore
import RasaKit

/// What came of a run, with everything that its reader must not miss: that the end is missing, that no model was asked,
/// that there is no answer yet.
struct RunAnswer: Sendable {
  var run: String
  var persona: String
  var session: String?
  var output: Value
  /// `stop`, or `length` or `cut_off` when the end of the answer is missing; nil where it is not known, and for a run
  /// that waits.
  var finish: String?
  var cost: Rasa.Dollars
  var isMock: Bool
  var answeredBy: [String]
  /// One line each.
  var notes: [String] = []
  var pending: [Rasa.Approval] = []

  init(_ result: Rasa.RunResult) {
    run = result.run
    persona = result.persona
    session = result.session
    output = result.output.value
    finish = result.pending.isEmpty ? result.finish : nil
    cost = result.cost
    isMock = result.usedMock
    answeredBy = result.answeredBy
    pending = result.pending
    var lines: [String] = []
    if result.usedMock { lines.append(Self.mockLine(result.mockReason)) }
    lines += result.notices.map(\.line)
    if pending.isEmpty, !result.isComplete, !result.notices.contains(where: { $0.kind == "cut" }) {
      lines.append("The end of the answer is missing (\(result.finish)).")
    }
    if !result.files.isEmpty {
      let names = result.files.map { "`\($0.attachment.name)`" }
      lines.append(
        "Its tools returned files, which are not in this answer: \(listed(names, "and")).")
    }
    notes = lines
  }

  /// The same of a run that has ended before, from its journal.
  init(_ timeline: Rasa.Timeline, output: Value) {
    run = timeline.run.id
    persona = timeline.run.persona
    session = timeline.run.session
    self.output = output
    cost = timeline.run.cost
    let passes = timeline.items.flatMap { item in
      if case .visit(let visit) = item { visit.passes } else { [Rasa.Timeline.Pass]() }
    }
    let answered = passes.flatMap(\.calls).filter {
      $0.outcome == .answered && $0.provider != "tool"
    }
    finish = answered.last?.finish
    isMock = answered.contains(where: \.isMock)
    answeredBy = answered.reduce(into: []) { names, call in
      let name = "\(call.provider):\(call.model)"
      if !names.contains(name) { names.append(name) }
    }
    if isMock { notes.append(Self.mockLine(nil)) }
    for entry in passes.flatMap(\.entries) {
      switch entry {
      case .notice(let notice): notes.append(notice.line)
      default: break
      }
    }
  }

  private static func mockLine(_ reason: String?) -> String {
    "No model was asked: this is a made-up answer of the mock"
      + (reason.map { ", because \($0)." } ?? ".")
  }

  var text: String { output.promptText }

  /// For programs. Money is a text, so that no digit of it is lost.
  var document: ValueObject {
    var document: ValueObject = [
      "answer": pending.isEmpty ? output : .null, "run": .string(run),
      "persona": .string(persona), "session": session.map(Value.string) ?? .null,
      "finish": finish.map(Value.string) ?? .null, "cost_usd": .string(cost.decimalText),
      "mock": .bool(isMock), "answered_by": .array(answeredBy.map(Value.string)),
      "notices": .array(notes.map(Value.string)),
    ]
    if !pending.isEmpty {
      document["waits_for"] = .array(
        pending.map { ["approval": .string($0.id), "title": .string($0.title)] })
    }
    return document
  }

  static let schema: Value = [
    "type": "object",
    "properties": [
      "answer": [
        "description": "A text, or JSON where the persona answers so; null without an answer."
      ],
      "run": ["type": ["string", "null"]],
      "finish": [
        "type": ["string", "null"],
        "description": "`stop`; `length` or `cut_off` where the end of the answer is missing.",
      ],
      "cost_usd": ["type": ["string", "null"]],
      "mock": [
        "type": "boolean", "description": "Whether the answer is made up, without a model.",
      ],
      "notices": [
        "type": "array", "items": ["type": "string"],
        "description": "What the answer does not show: other models, parts left out, objections.",
      ],
    ], "required": ["answer", "run", "finish", "cost_usd", "mock", "notices"],
  ]

  /// What a person is told where a run waits and this program cannot ask them.
  static func waitingText(_ run: String, _ pending: [Rasa.Approval]) -> String {
    let lines = pending.map { approval in
      let verb = approval.wantsAnswer ? "answer" : "approve"
      return "- \(approval.title): `rasa approvals \(verb) \(approval.id)`"
    }
    return """
      There is no answer yet: run \(run) waits for a person.
      \(lines.joined(separator: "\n"))
      After that, `rasa resume \(run)` gives the answer. Asking the same again begins a new run.
      """
  }
}
