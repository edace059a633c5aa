import RasaCore
import RasaDocuments

extension DocumentReader {
  mutating func readRules(_ fields: Fields, into definition: inout OperatorDefinition) {
    if let node = fields["rules"] {
      definition.rules = elements(node, "rules", of: "rules").compactMap { rule($0) }
    }
    if let node = fields["compose"] { definition.compose = composition(node) }
    guard definition.kind == .rule else { return }
    // The keys that rules write can be derived from the rules.
    if definition.writes.isEmpty { definition.writes = Self.impliedWrites(of: definition) }
    if definition.reads.isEmpty, fields["reads"] == nil {
      let own = Set(definition.writes.map(\.key))
      let inPlace = Self.keysChangedInPlace(definition)
      for path in Self.pathsUsed(by: definition) {
        let isOwn = own.contains(path.key)
        if isOwn, !inPlace.contains(path.key) { continue }
        definition.reads.append(path)
        if isOwn { definition.optionalReads.insert(path) }
      }
    }
  }

  private mutating func rule(_ node: DocumentNode) -> Rule? {
    guard let fields = fields(node, of: "a rule", known: ["when", "set", "append", "replace"])
    else { return nil }
    var rule = Rule(when: condition(fields["when"], "when"))
    for entry in entries(fields["set"], "set", mustBe: "a mapping of keys to values") {
      if let value = ruleValue(entry.value) { rule.set.append((key: entry.key, value: value)) }
    }
    for entry in entries(fields["append"], "append", mustBe: "a mapping of keys to text") {
      if let text = template(entry.value, entry.key) {
        rule.append.append((key: entry.key, text: text))
      }
    }
    for entry in entries(fields["replace"], "replace", mustBe: "a mapping of keys to replacements")
    {
      let pairs = entries(
        entry.value, entry.key, mustBe: "a mapping of texts to their replacements")
      for pair in pairs {
        guard !pair.key.isEmpty else {
          fail(
            pair.value, "an empty text cannot be replaced", suggestion: "name the text to look for")
          continue
        }
        if let replacement = text(pair.value, pair.key) {
          rule.replace.append((key: entry.key, from: pair.key, to: replacement))
        }
      }
    }
    if rule.set.isEmpty, rule.append.isEmpty, rule.replace.isEmpty,
      fields["set"] == nil, fields["append"] == nil, fields["replace"] == nil
    {
      fail(node, "the rule changes nothing", suggestion: "add `set`, `append` or `replace`")
    }
    return rule
  }

  private mutating func ruleValue(_ node: DocumentNode) -> RuleValue? {
    guard case .scalar(.string) = node.content else { return .literal(node.value) }
    guard let template = template(node, "set") else { return nil }
    if let path = template.onlyPath { return .path(path) }
    if template.paths.isEmpty { return .literal(.string(template.render { _ in .null })) }
    return .template(template)
  }

  private mutating func composition(_ node: DocumentNode) -> Composition? {
    guard let fields = fields(node, of: "`compose`", known: ["key", "parts"]) else { return nil }
    var parts: [Composition.Part] = []
    for element in elements(fields["parts"], "parts", of: "parts") {
      if case .scalar = element.content {
        if let path = path(element, "parts") { parts.append(Composition.Part(from: path)) }
        continue
      }
      guard let part = self.fields(element, of: "a part", known: ["from", "heading"]) else {
        continue
      }
      guard part["from"] != nil else {
        fail(element, "the part has no source", suggestion: "add `from: draft`")
        continue
      }
      let heading = text(part["heading"], "heading")
      guard let path = path(part["from"], "from") else { continue }
      parts.append(Composition.Part(from: path, heading: heading))
    }
    guard let key = text(fields["key"], "key") else {
      if fields["key"] == nil {
        fail(node, "`compose` has no key to write", suggestion: "add `key: output`")
      }
      return nil
    }
    if fields["parts"] == nil {
      fail(node, "`compose` has no parts", suggestion: "add `parts: [draft, …]`")
    }
    return Composition(key: key, parts: parts)
  }

  mutating func path(_ node: DocumentNode?, _ label: String) -> StatePath? {
    guard let node, let text = text(node, label) else { return nil }
    guard PathSyntax.isPath(text) else {
      fail(node, label, mustBe: "a path such as `critique.verdict`")
      return nil
    }
    return StatePath(text)
  }

  private static func impliedWrites(of definition: OperatorDefinition) -> [Write] {
    if let composition = definition.compose { return [Write(key: composition.key, type: .text)] }
    var seen: Set<String> = []
    return definition.rules.flatMap(\.keysWritten).filter { seen.insert($0).inserted }
      .map { Write(key: $0, type: .any) }
  }

  /// Every path that guards, templates and parts read, in order, without duplicates.
  static func pathsUsed(by definition: OperatorDefinition) -> [StatePath] {
    var paths = definition.rules.flatMap(\.pathsRead)
    paths += definition.compose?.parts.map(\.from) ?? []
    var seen: Set<StatePath> = []
    return paths.filter { seen.insert($0).inserted }
  }

  /// The keys whose old value is part of the new one, unless an earlier rule certainly sets it.
  static func keysChangedInPlace(_ definition: OperatorDefinition) -> Set<String> {
    var changed: Set<String> = []
    var isSet: Set<String> = []
    for rule in definition.rules {
      let own = Set(rule.set.map(\.key))
      for key in rule.append.map(\.key) + rule.replace.map(\.key)
      where !own.contains(key) && !isSet.contains(key) {
        changed.insert(key)
      }
      if rule.when == nil { isSet.formUnion(own) }
    }
    return changed
  }
}

extension Rule {
  var keysWritten: [String] {
    self.set.map(\.key) + append.map(\.key) + replace.map(\.key)
  }

  var pathsRead: [StatePath] {
    var paths = when?.reads ?? []
    for (_, value) in self.set {
      switch value {
      case .literal: break
      case .template(let template): paths += template.paths
      case .path(let path): paths.append(path)
      }
    }
    paths += append.flatMap { [StatePath([$0.key])] + $0.text.paths }
    paths += replace.map { StatePath([$0.key]) }
    return paths
  }
}

extension DocumentReader {
  private static let mostRepeats: ClosedRange<Int64> = 1...1000

  mutating func atMost(_ fields: Fields) -> Int? {
    integer(fields["at_most"], "at_most", in: Self.mostRepeats)
  }

  /// An entry of `then`: `{when, to, at_most}` or `{when, review: human, subject}`.
  mutating func route(_ node: DocumentNode) -> Route? {
    let known = ["when", "to", "review", "subject", "at_most"]
    guard let fields = fields(node, of: "an entry of `then`", known: known) else { return nil }
    let condition = condition(fields["when"], "when")
    let bound = atMost(fields)
    let action: Route.Action
    switch (fields["to"], fields["review"]) {
    case (let target?, nil):
      guard let name = name(target, "to") else { return nil }
      action = .to(name)
    case (nil, let reviewer?):
      guard case .scalar(.string("human")) = reviewer.content else {
        fail(reviewer, "review", mustBe: "`human`")
        return nil
      }
      let subject = text(fields["subject"], "subject")
      if let subject, let node = fields["subject"], !PathSyntax.isPath(subject) {
        fail(node, "subject", mustBe: "a key of the state")
      }
      action = .review(subject: subject)
    default:
      fail(
        node, "an entry of `then` needs one of `to` and `review`",
        suggestion: "write `to: respond` or `review: human`")
      return nil
    }
    if case .to = action, let subject = fields["subject"] {
      fail(subject, "`subject` belongs to `review: human`", suggestion: "leave it out here")
    }
    return Route(when: condition, action: action, atMost: bound, location: node.location)
  }

  mutating func reviewPolicy(_ node: DocumentNode?) -> ReviewPolicy? {
    guard let node else { return nil }
    switch node.content {
    case .scalar(.string("always")): return .always
    case .scalar(.string("never")): return .never
    case .mapping:
      guard let fields = fields(node, of: "`review`", known: ["when"]) else { return nil }
      guard fields["when"] != nil else {
        fail(node, "`review` needs a condition", suggestion: "write `review: {when: …}`")
        return nil
      }
      return condition(fields["when"], "when").map { .when($0) }
    default:
      fail(node, "review", mustBe: "`always`, `never` or `{when: …}`")
      return nil
    }
  }

  /// `{retry: 2, else: fail | skip | <operator>}`.
  mutating func errorPolicy(_ node: DocumentNode?) -> ErrorPolicy? {
    guard let node,
      let fields = fields(node, of: "`on_error`", known: ["retry", "else"])
    else { return nil }
    var policy = ErrorPolicy()
    if let retries = integer(fields["retry"], "retry", in: 0...10) { policy.retry = retries }
    switch name(fields["else"], "else") {
    case "fail", nil: policy.otherwise = .fail
    case "skip": policy.otherwise = .skip
    case let name?: policy.otherwise = .run(name)
    }
    return policy
  }
}

extension DocumentReader {
  /// A condition, written as text or as a bare `true`.
  mutating func condition(_ node: DocumentNode?, _ label: String) -> Guard? {
    guard let node else { return nil }
    guard case .scalar(let value) = node.content else {
      fail(node, label, mustBe: "a condition such as `critique.verdict == \"pass\"`")
      return nil
    }
    let source = value.string ?? node.rawText ?? value.json()
    do {
      return try Guard.compile(source, at: start(of: node))
    } catch {
      fail(error)
      return nil
    }
  }

  mutating func template(_ node: DocumentNode?, _ label: String) -> Template? {
    guard let node, let source = text(node, label) else { return nil }
    return template(source, at: start(of: node))
  }

  mutating func template(_ source: String, at location: SourceLocation) -> Template? {
    do {
      return try Template.compile(source, at: location)
    } catch {
      fail(error)
      return nil
    }
  }

  /// The location of the first character of a scalar's text: after the quote, or on the line below
  /// the `|` of a block, after its indentation.
  private func start(of node: DocumentNode) -> SourceLocation {
    var location = node.location
    guard location.file == text.file, location.column > 0 else { return location }
    let line = text.excerpt(line: location.line).unicodeScalars
    switch line.dropFirst(location.column - 1).first {
    case "'", "\"": location.column += 1
    case "|", ">":
      let following = (1...Self.blankLinesLookedThrough).lazy
        .map { text.excerpt(line: location.line + $0).unicodeScalars }
        .first { line in line.contains { $0 != " " } }
      location.line += 1
      location.column = (following?.prefix { $0 == " " }.count ?? 0) + 1
    default: break
    }
    return location
  }

  private static let blankLinesLookedThrough = 100
}
