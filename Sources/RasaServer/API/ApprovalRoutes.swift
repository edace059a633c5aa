import RasaCore
import RasaHTTPServer
import RasaKit

/// Questions to people, and their answers.
enum ApprovalRoutes {
  private static let answerSchema: Value = [
    "type": "object", "required": ["decision"],
    "properties": [
      "decision": [
        "enum": ["approve", "edit", "grant", "reject", "feedback", "answer", "default"]
      ],
      "text": [
        "type": "string", "description": "The replacement, rule, reason, correction or answer.",
      ],
      "values": ["type": "object", "description": "An answer member by member."],
      "payload_digest": [
        "type": "string", "description": "What was seen; another payload is another question.",
      ],
      "by": ["type": "string", "description": "Who decides; only with the scope admin."],
      "resume": ["type": "boolean", "description": "Whether the run goes on; true unless said."],
    ],
  ]

  static let routes: [Route] = [
    Route(
      "GET", "/v1/approvals", .scope(.read),
      RouteDescription(
        "The questions that wait for people, the oldest first.",
        query: [
          .init(name: "run", about: "Those of a run."),
          .init(
            name: "all", about: "Those as well that wait no longer.", schema: ["type": "boolean"]),
          .init(name: "limit", about: "At most so many.", schema: ["type": "integer"]),
        ])
    ) { call in
      var run: String?
      if let id = try call.single("run") { run = try await call.run(id).id }
      let records = try await call.rasa.approvals(
        ofRun: run, includingSettled: try call.flag("all"),
        limit: try call.number("limit", default: 50, in: 1...1_000))
      var shown: [Value] = []
      for record in records where try await call.maySee(record) { shown.append(record.json.value) }
      return .json(["approvals": .array(shown)])
    },
    Route(
      "GET", "/v1/approvals/{id}", .scope(.read),
      RouteDescription("A question with exactly what is asked.")
    ) { .json(try await $0.approval().json.value) },
    Route(
      "POST", "/v1/approvals/{id}", .scope(.approve),
      RouteDescription(
        "Answers a question: 409 where another answer came first, 410 where it waits no longer, 422 where the answer does "
          + "not fit.", body: answerSchema)
    ) { try await answer($0) },
  ]

  private static func answer(_ call: Call) async throws -> ServerResponse {
    let record = try await call.approval()
    let reader = MemberReader(try call.body())
    let run = try await call.rasa.run(withID: record.approval.run)
    if record.status != .pending { throw settled(record, run) }
    if let digest = try reader.text("payload_digest"), digest != record.payloadDigest {
      throw ServerProblem(
        409, "changed", "what is asked is not what was seen",
        suggestion: "look at the question again")
    }
    var who = call.client.user ?? (call.client.name == Client.owner.name ? nil : call.client.name)
    if let by = try reader.text("by") {
      guard call.client.may(.admin) else {
        throw ServerProblem(403, "scope", "only the scope `admin` may answer for somebody else")
      }
      who = by
    }
    let decision = try decision(reader)
    do throws(RasaError) {
      if case .standard = decision {} else { try record.approval.check(decision) }
    } catch {
      var problem = ServerProblem(error)
      problem.status = 422
      throw problem
    }
    let now: Rasa.ApprovalRecord
    do throws(RasaError) {
      now = try await call.rasa.answer(approval: record.id, decision, as: who)
    } catch {
      guard error.code == .approval || error.code == .usage else { throw error }
      let current = try await call.rasa.approval(withID: record.id)
      guard current.status == .pending else { throw settled(current, run) }
      var problem = ServerProblem(error)
      problem.status = 422
      throw problem
    }
    call.context.audit.note(call, "approval.\(now.decision ?? "vote")", record.id)
    var document = now.json.value.object ?? ValueObject()
    let resumes = reader.value["resume"].isNull ? true : try reader.flag("resume")
    var isResumed = false
    if resumes, now.status != .pending, call.context.hub.live(run.id) == nil {
      let current = try await call.rasa.run(withID: run.id)
      if !current.isAlive, current.openQuestions == 0 {
        _ = try await call.context.resume(current)
        isResumed = true
      }
    }
    document["resumed"] = .bool(isResumed)
    return .json(.object(document))
  }

  private static func decision(_ reader: MemberReader) throws -> Rasa.Decision {
    let text = try reader.text("text")
    func needed() throws(ServerProblem) -> String {
      guard let text else { throw ServerProblem(422, "usage", "`text` is missing") }
      return text
    }
    switch try reader.text("decision") {
    case "approve": return .approve
    case "edit": return .edit(try needed())
    case "grant": return .grant(text)
    case "reject": return .reject(reason: text ?? "")
    case "feedback": return .feedback(try needed())
    case "default": return .standard
    case "answer":
      guard let values = try reader.object("values") else { return .answer(try needed()) }
      var members = Rasa.Pairs<String>()
      for (name, value) in values { members[name] = value.string ?? value.json(.compact) }
      return .members(members)
    default:
      throw ServerProblem(
        422, "usage", "`decision` is none",
        suggestion: "approve, edit, grant, reject, feedback, answer or default")
    }
  }

  /// Somebody was faster, or nobody can answer any more.
  private static func settled(_ record: Rasa.ApprovalRecord, _ run: Rasa.RunSummary)
    -> ServerProblem
  {
    var problem: ServerProblem
    if record.status == .answered {
      problem = ServerProblem(
        409, "answered",
        "\(record.answeredBy ?? "somebody") has answered it already: \(record.decision ?? "")",
        suggestion: "the run is \(run.status)")
    } else {
      problem = ServerProblem(
        410, "\(record.status)", "it waits for no answer any more: it is \(record.status)",
        suggestion: "the run is \(run.status)")
    }
    problem.run = run.id
    problem.more = ["approval": record.json.value]
    return problem
  }
}

extension Call {
  func approval() async throws -> Rasa.ApprovalRecord {
    let id = parameter("id")
    let problem = ServerProblem.notFound(
      "there is no approval \(quoted(id))", suggestion: "`GET /v1/approvals` lists them")
    do {
      let record = try await rasa.approval(withID: id)
      guard record.id == id, try await maySee(record) else { throw problem }
      return record
    } catch let error as RasaError where error.code == .usage { throw problem }
  }

  func maySee(_ record: Rasa.ApprovalRecord) async throws -> Bool {
    guard let user = client.user else { return true }
    return try await rasa.run(withID: record.approval.run).user == user
  }
}
