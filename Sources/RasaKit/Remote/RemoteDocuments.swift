import RasaCore
import RasaEngine

extension Rasa.Observation {
  /// What a line of `stream-json` tells. A kind that this version does not know is a line without an event.
  init(remote line: RasaCore.Value) {
    var event = RunProgress(remote: line).flatMap { Rasa.Event($0) }
    if line["type"].string == "run.started" { event = .started(run: line["run"].string ?? "") }
    self.init(event: event, line: line)
  }
}

extension RunProgress {
  fileprivate init?(remote line: RasaCore.Value) {
    let step = Step(
      frame: line["frame"].string ?? "", visit: Int(clamping: line["visit"].int ?? 1),
      operatorName: line["operator"].string ?? "")
    switch line["type"].string {
    case "run.moved":
      self = .event(
        .moved(
          from: line["from"].string ?? "", to: line["to"].string ?? "",
          reason: line["reason"].string ?? ""))
    case "run.warned": self = .event(.warned(line["message"].string ?? ""))
    case "text": self = .output(line["text"].string ?? "")
    case "reasoning": self = .reasoning(step, line["text"].string ?? "")
    case "restart":
      self = .restarted(
        step,
        Restart(
          .brokenStream, line["reason"].string ?? "",
          keeps: line["keeps_bytes"].int.map { Int(clamping: $0) }))
    case "operator.started":
      self = .operatorStarted(step, kind: line["kind"].string ?? "")
    case "model.chosen":
      self = .modelChosen(
        step, provider: line["provider"].string ?? "", model: line["model"].string ?? "")
    case "operator.ended":
      self = .operatorEnded(
        step, answers: (line["calls"].array ?? []).map { ModelAnswer(remote: $0) })
    case "tool.started", "tool.progress", "tool.ended":
      guard let key = line["use"].string.flatMap({ EffectKey($0) }) else { return nil }
      self = .tool(
        step,
        ToolActivity(
          key: key, tool: line["tool"].string ?? "", phase: ToolActivity.Phase(remote: line)))
    case "notice":
      guard let notice = RunNotice(journalBody: line) else { return nil }
      self = .notice(notice)
    default: return nil
    }
  }
}

extension ToolActivity.Phase {
  fileprivate init(remote line: RasaCore.Value) {
    switch line["type"].string {
    case "tool.started": self = .started(arguments: line["arguments"])
    case "tool.progress":
      self = .progressed(
        ToolProgress(
          done: line["done"].double, total: line["total"].double,
          message: line["message"].string ?? ""))
    default:
      self = .ended(
        isError: line["is_error"].bool ?? false, bytes: Int(clamping: line["bytes"].int ?? 0))
    }
  }
}

extension ModelAnswer {
  fileprivate init(remote call: RasaCore.Value) {
    self.init(
      text: "", provider: call["provider"].string ?? "", model: call["model"].string ?? "",
      usage: Usage(
        input: call["input_tokens"].int ?? 0, output: call["output_tokens"].int ?? 0),
      cost: call["cost_usd"].string.flatMap { Money(decimal: $0) } ?? .zero,
      finish: call["finish"].string.flatMap { FinishReason(recorded: $0) } ?? .stop,
      isMock: call["mock"].bool ?? false,
      fallback: call["instead_of"].string.map {
        ModelFallback(insteadOf: $0, because: call["because"].string ?? "")
      })
  }
}

extension Rasa.RunResult {
  /// The result that a server's last event tells.
  init(remote document: RasaCore.Value, pending: [Rasa.Approval], warnings: [String]) {
    let usage = document["usage"]
    var result = RasaEngine.RunResult(
      told: document["output"], session: document["session"].string,
      state: State(
        Dictionary(
          (document["state"].object ?? ValueObject()).map { ($0.key, $0.value) },
          uniquingKeysWith: { $1 })),
      cost: document["cost_usd"].string.flatMap { Money(decimal: $0) } ?? .zero,
      usage: Usage(
        input: usage["input_tokens"].int ?? 0, output: usage["output_tokens"].int ?? 0,
        cachedInput: usage["cached_input_tokens"].int ?? 0,
        reasoning: usage["reasoning_tokens"].int ?? 0,
        isReported: usage["reported"].bool ?? false),
      steps: Int(clamping: document["steps"].int ?? 0),
      calls: Int(clamping: document["calls"].int ?? 0),
      usedMock: document["mock"].bool ?? false,
      notices: (document["notices"].array ?? []).compactMap { RunNotice(journalBody: $0) })
    result.answeredBy = (document["answered_by"].array ?? []).compactMap(\.string)
    if let other = document["instead_of"].string {
      result.fallback = ModelFallback(insteadOf: other, because: document["because"].string ?? "")
    }
    self.init(result, run: document["run"].string ?? "", warnings: warnings)
    persona = document["persona"].string ?? ""
    attachments = Rasa.JSON(document["attachments"])
    self.pending = pending
    if let finish = document["finish"].string { self.finish = finish }
    continued = Int(clamping: document["continued"].int ?? 0)
  }
}
