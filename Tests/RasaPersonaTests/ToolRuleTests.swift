import RasaCore
import RasaDocuments
import RasaTestKit
import Testing

@testable import RasaPersona

@Suite("Patterns of texts")
struct TextPatternTests {
  @Test(
    "what permits covers what its reader saw, and what forbids cannot be evaded",
    arguments: [
      // pattern, text, narrow, wide
      ("bob@example.com", "bob@example.com", true, true),
      ("bob@example.com", "BOB@example.com", false, true),
      ("bob@example.com", "bob@example.com ", false, false),
      ("*@example.com", "bob@example.com", true, true),
      ("*@example.com", "eve@evil.example, bob@example.com", false, true),
      ("*@example.com", "eve@evil.example\nbob@example.com", false, true),
      ("/data/*", "/data/notes.txt", true, true),
      ("/data/*", "/data/deep/notes.txt", false, true),
      ("/data/**", "/data/deep/notes.txt", true, true),
      ("/data/**", "/data/../etc/passwd", false, true),
      ("/data/*", "/data/..", false, true),
      ("/data/../**", "/data/../etc/passwd", true, true),
      ("/data/**", "/data/a..b", true, true),
      ("**", "--upload-pack=evil", false, true),
      ("*", "-rf", false, true),
      ("-*", "-rf", true, true),
      ("***", "-rf\n/", true, true),
      ("**", "one\ntwo", false, true),
      ("***", "one\ntwo", true, true),
      ("**", "a\u{202E}b", false, true),
      ("**", "a\u{200B}b", false, true),
      ("**", "a\u{0}b", false, true),
      ("**", "a\u{2028}b", false, true),
      ("echo *", "echo $(id)", false, true),
      ("echo *", "echo hello", true, true),
      ("echo *", "echo a b", false, true),
      ("", "", true, true), ("", "a", false, false), ("*", "", true, true),
      (#"\*"#, "*", true, true), (#"\*"#, "a", false, false), (#"\\*"#, #"\a"#, true, true),
      (#"C:\dir"#, #"C:\dir"#, true, true),
      ("a*b*c", "aXbXc", true, true), ("a*b*c", "aXbX", false, false),
      ("**a*b", "xx yyaab", true, true),
      // The same letter in two spellings is two texts.
      ("caf\u{E9}", "cafe\u{301}", false, false),
    ])
  func matches(_ pattern: String, _ text: String, _ narrow: Bool, _ wide: Bool) {
    #expect(TextPattern(pattern).matches(text, .narrow) == narrow, "narrow: \(pattern)")
    #expect(TextPattern(pattern).matches(text, .wide) == wide, "wide: \(pattern)")
  }

  @Test("a wide reading covers all that a narrow one does, and a text fits the pattern made of it")
  func properties() {
    var numbers = SeededNumbers(seed: 7)
    let alphabet: [Unicode.Scalar] = [
      "a", "B", "*", "\\", "/", ".", "-", " ", "\n", "\u{202E}", "é", "$", "@",
    ]
    func word() -> String {
      var text = String.UnicodeScalarView()
      for _ in 0..<Int.random(in: 0...6, using: &numbers) {
        text.append(alphabet.randomElement(using: &numbers) ?? "a")
      }
      return String(text)
    }
    for _ in 0..<4000 {
      let (pattern, text) = (word(), word())
      if TextPattern(pattern).matches(text, .narrow) {
        #expect(
          TextPattern(pattern).matches(text, .wide),
          "\(pattern.debugDescription) \(text.debugDescription)")
      }
      let exact = TextPattern(exactly: text)
      #expect(exact.matches(text, .narrow) && !exact.hasWildcards, "\(text.debugDescription)")
      if exact.matches(pattern, .narrow) { #expect(Array(pattern.utf8) == Array(text.utf8)) }
    }
  }

  @Test("many wildcards in a long text take no time that grows with their number")
  func long() {
    let pattern = TextPattern(String(repeating: "*a", count: 30) + "b")
    #expect(!pattern.matches(String(repeating: "a", count: 20_000), .narrow))
  }

  @Test(
    "tools are named by themselves, by their server, or by patterns",
    arguments: [
      ("quote", "quote", true), ("quote", "quotes", false), ("*", "mcp:git/git_log", true),
      ("mcp:git", "mcp:git/git_log", true), ("mcp:git", "mcp:github/push", false),
      ("mcp:git*", "mcp:github/push", true), ("mcp:git/git_*", "mcp:git/git_log", true),
      ("mcp:git/git_*", "mcp:git/push", false), ("mcp:*", "mcp:git/git_log", true),
      ("agent:*", "agent:reviewer", true), ("mcp:git/*", "mcp:git/a/b", false),
    ])
  func names(_ pattern: String, _ name: String, _ fits: Bool) {
    #expect(ToolNamePattern(pattern).matches(name, .narrow) == fits)
  }
}

@Suite("Rules about tools")
struct ToolRuleTests {
  private func rules(_ text: String) -> Reading<[ToolRule]> {
    ToolRuleLoader.load(SourceDocument(bytes: Array(text.utf8), path: "policy.yaml"))
  }

  @Test("a file has its list with the heading of a config.yaml, or without it")
  func heading() throws {
    for text in ["- deny: mcp:mail", "policy:\n  - deny: mcp:mail", "policy: [{deny: mcp:mail}]"] {
      #expect(try rules(text).get().map(\.decision) == [.deny], "\(text)")
    }
    #expect(try rules("policy:\n").get().isEmpty)
    let twice = rules("policy: [{deny: a}]\nmore: [{deny: b}]")
    #expect(twice.failures.map(\.location?.line) == [1])
  }

  private func decision(_ text: String, _ tool: String, _ arguments: Value) throws -> String? {
    try rules(text).get().first(for: tool, arguments)?.decision.rawValue
  }

  private static let mail = """
    - deny: mcp:mail/send
      arguments: {to: "*@evil.example"}
    - allow: mcp:mail/send
      arguments: {to: ["*@example.com", boss@other.example], subject: "**", body: "***"}
    - ask: [mcp:mail, mcp:git/git_push]
      people: 2
      expires: 1h
      on_expiry: escalate
      because: mail leaves the house
    - allow: "mcp:time"
    """

  @Test(
    "the first one that is about a use decides",
    arguments: [
      (["to": "bob@example.com", "subject": "hi", "body": "a\nb"], "allow"),
      (["to": ["bob@example.com", "boss@other.example"], "subject": "hi"], "allow"),
      (["to": ["bob@example.com", "boss@other.example"], "subject": "hi", "body": ""], "allow"),
      (["to": ["bob@example.com", "eve@other.example"], "subject": "hi", "body": ""], "ask"),
      (["to": ["bob@example.com", "eve@evil.example"], "subject": "hi", "body": ""], "deny"),
      (["to": "Eve@EVIL.example"], "deny"),
      (["to": "x\ny@evil.example"], "deny"),
      (["to": "bob@example.com", "subject": "hi", "body": "", "bcc": "eve@x.example"], "ask"),
      (["to": "bob@example.com, eve@x.example", "subject": "hi", "body": ""], "ask"),
      (["to": "bob@example.com", "subject": "a\nb", "body": ""], "ask"), ([:], "ask"),
    ] as [(Value, String)])
  func first(_ arguments: Value, _ expected: String) throws {
    #expect(try decision(Self.mail, "mcp:mail/send", arguments) == expected)
  }

  @Test(
    "numbers, truth values and members of objects are compared, and nothing passes for another type"
  )
  func types() throws {
    let text = """
      - allow: pay
        arguments: {amount: 3, dry: true, to.name: bob, to.bank.city: "*"}
      """
    let good: Value = [
      "amount": 3, "dry": true, "to": ["name": "bob", "bank": ["city": "Porto"]],
    ]
    #expect(try decision(text, "pay", good) == "allow")
    var changed = good.object ?? ValueObject()
    for (name, value) in [
      ("amount", "3"), ("amount", 4), ("dry", "true"), ("to", "bob"),
      ("to", ["name": "bob", "bank": ["city": "Porto", "iban": "x"]]), ("to", ["name": "bob"]),
      ("more", .null),
    ] as [(String, Value)] {
      let before = changed
      changed[name] = value
      #expect(try decision(text, "pay", .object(changed)) == nil, "\(name): \(value)")
      changed = before
    }
    changed["amount"] = .double(3.0)
    #expect(try decision(text, "pay", .object(changed)) == "allow")
    #expect(
      try decision("- allow: pay\n  others: true\n  arguments: {amount: 3}", "pay", good)
        == "allow")
  }

  @Test("questions have their number of people, their time and what follows")
  func asking() throws {
    let rule = try #require(try rules(Self.mail).get().first { $0.decision == .ask })
    #expect(rule.people == 2 && rule.expires == 3600 && rule.onExpiry == .escalate)
    #expect(rule.because == "mail leaves the house" && rule.location.line == 5)
  }

  @Test(
    "what a rule does not say right is an error with its place",
    arguments: [
      ("- allow: x\n  argumnts: {a: b}", "policy.yaml:2:3", "did you mean `arguments`?"),
      ("- alow: x", "policy.yaml:1:3", "did you mean `allow`?"),
      ("- allow: x\n  deny: y", "policy.yaml:1:3", "write one of"),
      ("- allow: x\n  people: 2", "policy.yaml:2:11", "nobody is asked"),
      ("- ask: x\n  people: 0", "policy.yaml:2:11", ""),
      ("- ask: x\n  expires: soon", "policy.yaml:2:12", ""),
      ("- ask: x\n  on_expiry: denny", "policy.yaml:2:14", "did you mean `deny`?"),
      ("- ask: x\n  others: true", "policy.yaml:2:11", "is about all arguments"),
      ("- x", "policy.yaml:1:3", "- ask: mcp:mail/send"),
      ("allow: x", "policy.yaml:1:1", ""), ("- deny: []", "policy.yaml:1:3", "deny: \"*\""),
      ("- allow: x\n  arguments: {a: 1, a.b: 2}", "policy.yaml:2:21", "list what it may be"),
    ])
  func mistakes(_ text: String, _ place: String, _ hint: String) {
    let reading = rules(text)
    let failures = reading.failures
    #expect(reading.definition == nil)
    #expect(failures.contains { $0.location?.description == place }, "\(failures.map(\.location))")
    #expect(
      hint.isEmpty || failures.contains { $0.suggestion.contains(hint) },
      "\(failures.map(\.suggestion))")
  }

  @Test("an empty file, and one with nothing but comments, has no rules")
  func empty() throws {
    for text in ["", "\n", "# nothing yet\n", "[]"] {
      #expect(try rules(text).get().isEmpty)
    }
  }

  @Test("a rule reads back from its text, and the one made of a use covers that use alone")
  func text() throws {
    for arguments in [
      ["to": "bob@example.com", "n": 3, "deep": ["a*b": ["x", "\u{202E}\n\\*"]], "none": .null],
      [:], ["list": []], ["body": "a\nb\n"],
    ] as [Value] {
      let rule = ToolRule(
        .allow, tools: [ToolNamePattern(exactly: "mcp:a/b*")],
        arguments: ArgumentPatterns(exactly: arguments))
      let reread = try ToolRuleLoader.rule(rule.text, named: "rule")
      #expect(reread.value == rule.value && reread.matches(tool: "mcp:a/b*", arguments))
      #expect(!reread.matches(tool: "mcp:a/bc", arguments))
      var other = arguments.object ?? ValueObject()
      other["more"] = 1
      #expect(!reread.matches(tool: "mcp:a/b*", .object(other)))
      for (name, _) in arguments.object ?? ValueObject() {
        var other = arguments.object ?? ValueObject()
        other[name] = "something else"
        #expect(!reread.matches(tool: "mcp:a/b*", .object(other)), "\(name)")
      }
    }
  }
}
