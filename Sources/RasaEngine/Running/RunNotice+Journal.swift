package import RasaCore

extension RunNotice {
  /// The line that a run keeps of it, where nothing else in its journal says the same.
  func entry(of run: Identifier, at time: Timestamp) -> JournalEntry {
    var body = value.object ?? ValueObject()
    if let step { body["step"] = step.value }
    return JournalEntry(run: run, time: time, kind: "run.noticed", body: .object(body))
  }

  /// Reads a line back.
  package init?(journalBody body: Value) {
    guard let kind = body["kind"].string.flatMap({ Kind(rawValue: $0) }) else { return nil }
    let known = ["kind", "message", "suggestion", "frame", "operator", "step"]
    self.init(
      kind, at: Step(body["step"]), body["message"].string ?? "",
      suggestion: body["suggestion"].string ?? "",
      facts: ValueObject(
        (body.object ?? ValueObject()).filter { !known.contains($0.key) }
          .map { ($0.key, $0.value) }))
  }

  /// What a line of a journal gives its reader to know about the answer; nothing for most.
  package static func recorded(in entry: JournalEntry) -> [RunNotice] {
    switch entry.kind {
    case "run.noticed": return RunNotice(journalBody: entry.body).map { [$0] } ?? []
    case "run.objected": return RouteLimitReached(entry.body).map { [.objection($0)] } ?? []
    case "operator.finished":
      guard case .operatorFinished(let step, .skipped(let reason)) = RunEvent(folding: entry) else {
        return []
      }
      return [.skipped(step, because: reason)]
    default:
      guard let effect = EffectEvent(entry) else { return [] }
      switch effect.phase {
      case .result(.answer(let answer, let notices), _),
        .reused(.answer(let answer, let notices), _, _):
        let step = effect.key.step
        return notices.map { RunNotice(.accounting, at: step, $0) }
          + (fallback(answer, at: step).map { [$0] } ?? [])
      default: return []
      }
    }
  }
}

extension RouteLimitReached {
  var value: Value {
    [
      "step": step.value, "to": .string(target), "when": .string(condition),
      "at_most": .int(Int64(bound)), "reasons": .array(reasons.map { .string($0) }),
    ]
  }

  init?(_ body: Value) {
    guard let step = Step(body["step"]) else { return nil }
    self.init(
      step: step, target: body["to"].string ?? "", condition: body["when"].string ?? "",
      bound: Int(clamping: body["at_most"].int ?? 0),
      reasons: (body["reasons"].array ?? []).compactMap(\.string))
  }
}
