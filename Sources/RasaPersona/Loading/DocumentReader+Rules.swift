import RasaCore
import RasaDocuments

extension DocumentReader {
  mutating func readRules(_ fields: Fields, into definition: inout OperatorDefinition) {
    if let node = fields["rules"] {
      definition.rules = elements(node, "rules", of: "rules").compactMap { rule($0) }
    }
    if let node = fields["compose"] { definition.compose = composition(node) }
    guard definition.kind == .rule else { return }
    // What rules touch can be told from the rules themselves.
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
          fail(pair.value, "an empty text cannot be replaced", suggestion: "name the text to look for")
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

  mutating func path(_ node: DocumentNode?, _ what: String) -> StatePath? {
    guard let node, let text = text(node, what) else { return nil }
    guard PathSyntax.isPath(text) else {
      fail(node, what, mustBe: "a path such as `critique.verdict`")
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

  /// Every path that guards, templates and parts look at, in order, without repeats.
  static func pathsUsed(by definition: OperatorDefinition) -> [StatePath] {
    var paths = definition.rules.flatMap(\.pathsRead)
    paths += definition.compose?.parts.map(\.from) ?? []
    var seen: Set<StatePath> = []
    return paths.filter { seen.insert($0).inserted }
  }

  /// The keys whose old value goes into the new one, where no earlier rule is sure to have set it.
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
