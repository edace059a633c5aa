import RasaCore
import RasaKit

/// What the body of `POST /v1/runs` asks for.
struct RunRequest: Sendable {
  /// What becomes of a run when somebody else is at work in its conversation.
  enum Busy: String, CaseIterable { case reject, enqueue, interrupt }
  enum Leaving: String, CaseIterable { case `continue`, park }

  var persona: String?
  var agent: String?
  /// An agent is chosen.
  var isRouted = false
  var input = ""
  var options = Rasa.RunOptions()
  var streams = false
  var waits = false
  var whenBusy = Busy.reject
  var whenLeft = Leaving.continue
  var isDryRun = false

  static let schema: Value = [
    "type": "object", "required": ["input"],
    "properties": [
      "persona": ["type": "string", "description": "A persona by name or alias."],
      "agent": ["type": "string", "description": "An agent by ID, in place of a persona."],
      "auto": ["type": "boolean", "description": "Whether the agent is chosen that fits best."],
      "input": ["type": "string", "description": "The question or task."],
      "preferences": ["type": "object", "additionalProperties": ["type": "string"]],
      "session": ["type": "string", "description": "The conversation."],
      "user": ["type": "string", "description": "Whose memories; only with the scope admin."],
      "as_of_ms": ["type": "integer", "description": "The moment of which it recalls."],
      "model": ["type": "string"],
      "profile": ["enum": ["speed", "balanced", "thinking", "expert"]],
      "premium": ["type": "boolean"],
      "max_cost_usd": ["type": "string", "description": "US dollars as decimal text."],
      "max_seconds": ["type": "integer", "minimum": 1],
      "force": ["type": "boolean", "description": "Lifts the persona's own limit of cost."],
      "allow_budget_exceed": ["type": "boolean"],
      "attachments": [
        "type": "array",
        "items": [
          "type": "object", "required": ["name", "data"],
          "properties": [
            "name": ["type": "string"], "data": ["type": "string", "description": "Base64."],
          ],
        ],
      ],
      "stream": ["type": "boolean", "description": "Server-sent events in place of a document."],
      "wait": ["type": "boolean", "description": "Answers when the run has ended or is parked."],
      "when_busy": [
        "enum": ["reject", "enqueue", "interrupt"],
        "description": "What to do while a run of the same conversation is under way.",
      ],
      "when_left": [
        "enum": ["continue", "park"],
        "description": "What becomes of the run when the last reader of its stream has gone.",
      ],
      "dry_run": ["type": "boolean", "description": "Prices every call and asks no model."],
    ],
  ]

  private static let members = Set(
    (schema["properties"].object ?? ValueObject()).map(\.key))

  init(_ body: Value, _ client: Client) throws(ServerProblem) {
    guard let object = body.object else { throw .invalid("the body is no JSON object") }
    for (name, _) in object where !Self.members.contains(name) {
      let hint = nearestName(to: name, among: Self.members.sorted()).map { "did you mean `\($0)`?" }
      throw .invalid(
        "the body has a member \(quoted(name)) that is none",
        suggestion: hint ?? "`/openapi.json` lists them")
    }
    let reader = MemberReader(body)
    persona = try reader.text("persona")
    agent = try reader.text("agent")
    isRouted = try reader.flag("auto")
    input = try reader.text("input") ?? ""
    let named = (persona != nil ? 1 : 0) + (agent != nil ? 1 : 0) + (isRouted ? 1 : 0)
    guard named == 1 else {
      throw .invalid(
        named == 0 ? "nobody is named to run" : "more than one is named to run",
        suggestion: "give one of `persona`, `agent` and `auto`")
    }
    for (name, value) in try reader.object("preferences") ?? ValueObject() {
      guard let text = value.string else {
        throw .invalid("the preference \(quoted(name)) is no text")
      }
      options.preferences[name] = text
    }
    options.session = try reader.text("session")
    options.user = client.user
    if let user = try reader.text("user"), user != client.user {
      guard client.may(.admin) else {
        throw ServerProblem(403, "scope", "only the scope `admin` may run as another user")
      }
      options.user = user
    }
    options.asOf = try reader.number("as_of_ms")
    options.model = try reader.text("model")
    if let word = try reader.text("profile") {
      guard let profile = Rasa.Profile(rawValue: word) else {
        throw .invalid(
          "`profile` is \(quoted(word))", suggestion: "speed, balanced, thinking or expert")
      }
      options.profile = profile
    }
    options.allowsPremium = try reader.flag("premium")
    if let text = try reader.text("max_cost_usd") {
      guard let most = Rasa.Dollars(text) else {
        throw .invalid(
          "`max_cost_usd` is \(quoted(text))", suggestion: "give dollars such as \"0.05\"")
      }
      options.maxCost = most
    }
    if let most = client.maxCost { options.maxCost = min(most, options.maxCost ?? most) }
    if let seconds = try reader.number("max_seconds") {
      guard seconds > 0 else { throw .invalid("`max_seconds` is \(seconds)") }
      options.maxSeconds = Int(clamping: seconds)
    }
    options.ignoresRunLimit = try reader.flag("force")
    options.ignoresBudget = try reader.flag("allow_budget_exceed")
    if options.ignoresRunLimit || options.ignoresBudget, !client.may(.admin) {
      throw ServerProblem(403, "scope", "only the scope `admin` may lift limits")
    }
    for (index, file) in (try reader.array("attachments") ?? []).enumerated() {
      guard let name = file["name"].string, let data = file["data"].string,
        let bytes = Base64.decode(data)
      else {
        throw .invalid(
          "`attachments[\(index)]` is no file", suggestion: "give `name`, and `data` in base64")
      }
      do throws(RasaError) {
        options.attachments.append(try Rasa.Attachment(name: name, bytes: bytes))
      } catch { throw ServerProblem(error) }
    }
    streams = try reader.flag("stream")
    waits = try reader.flag("wait")
    isDryRun = try reader.flag("dry_run")
    whenBusy = try reader.choice("when_busy", of: Busy.self) ?? .reject
    whenLeft = try reader.choice("when_left", of: Leaving.self) ?? .continue
  }
}

/// Members of an object with their types.
struct MemberReader: Sendable {
  let value: Value

  init(_ value: Value) { self.value = value }

  private func wrong(_ name: String, _ kind: String) -> ServerProblem {
    .invalid("`\(name)` is \(quoted(value[name].json(.compact)))", suggestion: "give \(kind)")
  }

  func text(_ name: String) throws(ServerProblem) -> String? {
    if value[name].isNull { return nil }
    guard let text = value[name].string else { throw wrong(name, "a text") }
    return text
  }

  func flag(_ name: String) throws(ServerProblem) -> Bool {
    if value[name].isNull { return false }
    guard let flag = value[name].bool else { throw wrong(name, "true or false") }
    return flag
  }

  func number(_ name: String) throws(ServerProblem) -> Int64? {
    if value[name].isNull { return nil }
    guard let number = value[name].int else { throw wrong(name, "a whole number") }
    return number
  }

  func object(_ name: String) throws(ServerProblem) -> ValueObject? {
    if value[name].isNull { return nil }
    guard let object = value[name].object else { throw wrong(name, "an object") }
    return object
  }

  func array(_ name: String) throws(ServerProblem) -> [Value]? {
    if value[name].isNull { return nil }
    guard let array = value[name].array else { throw wrong(name, "an array") }
    return array
  }

  func choice<Choice: RawRepresentable & CaseIterable>(
    _ name: String, of: Choice.Type
  ) throws(ServerProblem) -> Choice? where Choice.RawValue == String {
    guard let word = try text(name) else { return nil }
    guard let choice = Choice(rawValue: word) else {
      throw wrong(name, listed(Choice.allCases.map { "`\($0.rawValue)`" }, "or"))
    }
    return choice
  }
}
