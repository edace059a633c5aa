package import RasaCore
import RasaDocuments
import RasaPersona

extension Recording {
  /// The largest file that is read, and written.
  package static let largest = 64 << 20

  package init(_ bytes: [UInt8], file: String) throws(Failure) {
    let node: DocumentNode
    do {
      node = try JSON.document(
        bytes, file: file, limits: JSONLimits(depth: 200, bytes: Recording.largest))
    } catch {
      var failure = error
      if failure.suggestion.isEmpty { failure.suggestion = RecordingReader.suggestion }
      throw failure
    }
    try self.init(node)
  }

  private init(_ node: DocumentNode) throws(Failure) {
    guard let version = node["rasa_recording"] else {
      throw node.failure(
        "this is no recording of a run: it has no `rasa_recording`",
        suggestion: "make one with `rasa run --record FILE` or `rasa runs export RUN --as-test DIR`"
      )
    }
    guard version.value.int == Recording.version else {
      throw version.failure(
        "the recording has version \(version.value.json()), and this program reads version "
          + "\(Recording.version)",
        suggestion: "record the run anew, or use the program that wrote it")
    }
    let file = try RecordingReader(
      node, "a recording",
      members: [
        "rasa_recording", "persona", "run", "context", "changes", "effects", "expected", "files",
      ])
    let persona = try RecordingReader(
      try file.member("persona"), "`persona`", members: ["name", "digest"])
    let run = try RecordingReader(
      try file.member("run"), "`run`",
      members: [
        "id", "started_ms", "input", "preferences", "user", "session", "fork_of", "options",
        "attachments",
      ])
    var changes: [Change] = []
    for change in try file.list("changes") { changes.append(try Change(change)) }
    var effects: [Effect] = []
    for effect in try file.list("effects") { effects.append(try Effect(effect)) }
    try Recording.checkKeys(effects, try file.list("effects"))
    var files: [Value] = []
    for entry in try file.list("files") { files.append(try Recording.file(entry)) }
    let origin = try run.optionalText("fork_of")
    self.init(
      start: RunStart(
        run: Identifier(try run.text("id")), persona: try persona.text("name"),
        personaDigest: try persona.optionalText("digest") ?? "",
        session: try run.optionalText("session"), user: try run.optionalText("user") ?? "",
        input: try run.text("input"), preferences: try run.object("preferences"),
        fork: origin.map { origin in
          ForkPoint(
            run: Identifier(origin), changes: ValueObject(changes.map { ($0.key, $0.value) }))
        }, attachments: try Recording.attachments(run)),
      startedAt: Timestamp(milliseconds: try run.milliseconds("started_ms")),
      options: try run.object("options"), context: file.value("context"), changes: changes,
      effects: effects, expected: try Expectation(try file.member("expected")),
      files: PinnedFiles(["files": .array(files)]) ?? PinnedFiles())
  }

  /// Two outcomes at one place would make it a matter of chance which one counts.
  private static func checkKeys(
    _ effects: [Effect], _ nodes: [DocumentNode]
  ) throws(Failure) {
    var calls: Set<EffectKey> = []
    for (effect, node) in zip(effects, nodes) {
      guard case .call(let call) = effect, !calls.insert(call.key).inserted else { continue }
      throw node.failure(
        "the call `\(call.key)` stands there twice", suggestion: "remove one of the two")
    }
  }

  fileprivate static func attachments(
    _ reader: RecordingReader
  ) throws(Failure) -> [Attachment] {
    var attachments: [Attachment] = []
    for node in try reader.list("attachments") {
      let member = try RecordingReader(
        node, "an attachment",
        members: ["name", "type", "bytes", "sha256", "width", "height", "pages", "text"])
      guard
        let attachment = Attachment(
          facts: node.value, payload: try member.optionalText("text") ?? "")
      else {
        throw node.failure(
          "an attachment has no `name`, no `sha256`, or a `type` that is not known",
          suggestion: RecordingReader.suggestion)
      }
      attachments.append(attachment)
    }
    return attachments
  }

  private static func file(_ node: DocumentNode) throws(Failure) -> Value {
    let file = try RecordingReader(node, "a file", members: ["kind", "name", "path", "text"])
    let name = try file.text("name")
    let word = try file.text("kind")
    guard let kind = PinnedFiles.Kind(rawValue: word) else {
      throw node.failure(
        "there are no files of kind `\(word)`", suggestion: RecordingReader.suggestion)
    }
    return [
      "kind": .string(kind.rawValue), "name": .string(name),
      "path": .string(try file.optionalText("path") ?? name),
      "text": .string(try file.text("text")),
    ]
  }
}

extension Recording.Change {
  fileprivate init(_ node: DocumentNode) throws(Failure) {
    let change = try RecordingReader(node, "a change", members: ["after", "key", "value"])
    var after: Step?
    if let node = change.optional("after") { after = try RecordingReader.step(node) }
    self.init(after: after, key: try change.text("key"), value: change.value("value"))
  }
}

extension Recording.Effect {
  fileprivate init(_ node: DocumentNode) throws(Failure) {
    if node["call"] != nil {
      self = .call(try Recording.Call(node))
    } else if node["question"] != nil {
      self = .question(try Recording.Asked(node))
    } else if node["offered"] != nil {
      let offer = try RecordingReader(
        node, "an offer of tools", members: ["offered", "tools", "window"])
      self = .offer(
        ToolOffer(
          key: try offer.key("offered"),
          tools: (offer.value("tools").array ?? []).compactMap { ToolDescription($0) },
          window: offer.value("window").int))
    } else {
      let recall = try RecordingReader(
        node, "an effect (a `call`, a `question`, a `recall` or an `offered`)",
        members: ["recall", "memories", "cut_off"])
      let isCutOff = recall.value("cut_off").bool == true
      self = .recall(
        Recording.Recalled(
          step: try RecordingReader.step(try recall.member("recall")),
          memories: isCutOff ? nil : recall.value("memories")))
    }
  }
}

extension Recording.Call {
  fileprivate init(_ node: DocumentNode) throws(Failure) {
    let call = try RecordingReader(
      node, "a call",
      members: [
        "call", "after_ms", "request", "request_digest", "answer", "result", "value",
        "input_required", "failure", "in_doubt", "cut_off",
      ])
    var request: RecordedRequest?
    if let node = call.optional("request") { request = try RecordedRequest(node) }
    let outcome: Outcome
    if let node = call.optional("answer") {
      outcome = .answer(try ModelAnswer(recorded: node))
    } else if node["result"] != nil {
      outcome = .tool(ToolResult(call.value("result")))
    } else if node["value"] != nil {
      // As earlier versions wrote it.
      outcome = .tool(ToolResult(structured: call.value("value")))
    } else if node["input_required"] != nil {
      outcome = .inputRequired(ToolInputRequest(call.value("input_required")))
    } else if let node = call.optional("failure") {
      let failure = try Failure(recorded: node)
      let isInDoubt = call.value("in_doubt").bool ?? (failure.kind == .run)
      outcome = isInDoubt ? .inDoubt(failure) : .failure(failure)
    } else if call.value("cut_off").bool == true {
      outcome = .cutOff
    } else {
      throw node.failure(
        "a call has no `answer`, no `result`, no `failure` and no `cut_off: true`",
        suggestion: RecordingReader.suggestion)
    }
    self.init(
      key: try call.key("call"), after: try call.milliseconds("after_ms"), request: request,
      digest: try call.optionalText("request_digest"), outcome: outcome)
  }
}

extension RecordedRequest {
  fileprivate init(_ node: DocumentNode) throws(Failure) {
    let request = try RecordingReader(
      node, "a request",
      members: ["messages", "schema", "max_tokens", "temperature", "profile"])
    var messages: [ChatMessage] = []
    for node in try request.list("messages") {
      let reader = try RecordingReader(
        node, "a message",
        members: [
          "role", "text", "attachments", "tool_calls", "tool_call_id", "is_error", "result_number",
          "reasoning",
        ])
      var message = ChatMessage(
        try reader.word("role", among: [ChatRole.system, .user, .assistant, .tool]),
        try reader.text("text"),
        toolCalls: (reader.value("tool_calls").array ?? []).compactMap { ToolCall($0) },
        toolCallID: try reader.optionalText("tool_call_id"),
        reasoning: (reader.value("reasoning").array ?? []).map { ReasoningPart($0) },
        attachments: try Recording.attachments(reader))
      message.isError = reader.value("is_error").bool ?? false
      message.resultNumber = try reader.optionalText("result_number")
      messages.append(message)
    }
    var temperature: Double?
    if let node = request.optional("temperature") {
      guard let number = node.value.double else {
        throw request.wrong(node, "temperature", "a number")
      }
      temperature = number
    }
    var maxTokens: Int?
    if request.optional("max_tokens") != nil {
      maxTokens = Int(clamping: try request.number("max_tokens"))
    }
    var profile: PerformanceProfile?
    if request.optional("profile") != nil {
      profile = try request.word("profile", among: PerformanceProfile.allCases)
    }
    self.init(
      messages: messages, schema: request.optional("schema") == nil ? nil : request.value("schema"),
      maxTokens: maxTokens, temperature: temperature, profile: profile)
  }
}

extension Recording.Asked {
  fileprivate init(_ node: DocumentNode) throws(Failure) {
    let asked = try RecordingReader(
      node, "a question",
      members: [
        "question", "after_ms", "payload", "payload_digest", "decision", "text", "by",
        "failure",
      ])
    var answer: HumanAnswer?
    if asked.optional("decision") != nil {
      answer = HumanAnswer(
        try asked.word("decision", among: [.approve, .edit, .reject, .feedback, .answer]),
        text: asked.value("text"),
        by: try asked.optionalText("by") ?? "")
    }
    self.init(
      key: try asked.key("question").firstOccurrence, after: try asked.milliseconds("after_ms"),
      payload: asked.value("payload"), answer: answer)
    if let node = asked.optional("failure") { failure = try Failure(recorded: node) }
  }
}

extension Recording.Expectation {
  fileprivate init(_ node: DocumentNode) throws(Failure) {
    let expected = try RecordingReader(
      node, "`expected`",
      members: ["status", "output", "failure", "state", "path", "calls", "cost_usd"])
    var path: [Step] = []
    for step in try expected.list("path") { path.append(try RecordingReader.step(step)) }
    var failure: Failure?
    if let node = expected.optional("failure") { failure = try Failure(recorded: node) }
    self.init(
      status: try expected.word("status", among: [.done, .failed, .parked]),
      output: expected.value("output"), failure: failure,
      state: try expected.object("state"), path: path,
      calls: try expected.number("calls", or: 0), cost: try expected.money("cost_usd"))
  }
}

extension ModelAnswer {
  fileprivate init(recorded node: DocumentNode) throws(Failure) {
    let answer = try RecordingReader(
      node, "an answer",
      members: [
        "provider", "model", "text", "usage", "cost", "finish", "mock", "tool_calls", "reasoning",
        "cap", "ceiling", "instead_of", "because", "attachment_tokens",
      ])
    var finish = FinishReason.stop
    if answer.optional("finish") != nil {
      finish = try answer.word("finish", among: FinishReason.allCases)
    }
    let text = try answer.text("text")
    let cost = try answer.money("cost")
    self.init(node.value)
    self.text = text
    self.cost = cost
    self.finish = finish
  }
}

extension Failure {
  fileprivate init(recorded node: DocumentNode) throws(Failure) {
    let failure = try RecordingReader(
      node, "a failure", members: ["kind", "message", "mend", "details", "reason", "whole_run"])
    var details: [String] = []
    for node in try failure.list("details") {
      guard let text = ReadableText.text(node.value) else {
        throw failure.wrong(node, "details", "a list of texts")
      }
      details.append(text)
    }
    self.init(
      try failure.word("kind", among: Failure.Kind.allCases), try failure.text("message"),
      suggestion: try failure.optionalText("mend") ?? "", details: details)
    reason = try failure.optionalText("reason")
    isOfWholeRun = failure.value("whole_run").bool ?? saysThatTimeIsUp
  }
}
