import RasaCore
import RasaDocuments
import RasaPersona
import Testing

@Suite struct OperatorLoaderTests {
  @Test func everyFieldIsRead() throws {
    let reading = try Loading.operatorReading(
      """
      name: checker
      kind: llm
      frame: session_frame
      description: Checks.
      reads: [input, context.session, draft?]
      writes: {verdict: text, score: number, extra: any}
      profile: thinking
      max_tokens: 400
      temperature: 0.5
      prompt: "Check {{draft}} for {{ input }}"
      output:
        type: object
        properties: {verdict: {type: string}, score: {type: number}, extra: {}}
        required: [verdict, score]
      then:
        - {when: verdict == "revise", to: respond, at_most: 2}
        - {when: score < 0.5, review: human, subject: draft}
        - to: end
      review: {when: score < 0.2}
      on_error: {retry: 2, else: respond}
      timeout: 60
      uncertain: ask
      tools: [search]
      """)
    let definition = try reading.get()
    #expect(reading.warnings.isEmpty)
    #expect(definition.name == "checker" && definition.kind == .llm)
    #expect(definition.frame == "session_frame" && definition.description == "Checks.")
    #expect(definition.reads == ["input", "context.session", "draft"])
    #expect(definition.optionalReads == ["draft"])
    #expect(
      definition.writes == [
        Write(key: "verdict", type: .text), Write(key: "score", type: .number),
        Write(key: "extra", type: .any),
      ])
    #expect(definition.profile == .thinking && definition.maxTokens == 400)
    #expect(definition.temperature == 0.5 && definition.timeout == 60)
    #expect(definition.prompt?.paths == ["draft", "input"])
    #expect(definition.output?["required"] == ["verdict", "score"])
    #expect(
      definition.then.map(\.action) == [.to("respond"), .review(subject: "draft"), .to("end")])
    #expect(definition.then.map(\.atMost) == [2, nil, nil])
    #expect(
      definition.then.map { $0.when?.source } == ["verdict == \"revise\"", "score < 0.5", nil])
    guard case .when(let condition) = definition.review else {
      Issue.record("no review")
      return
    }
    #expect(condition.source == "score < 0.2")
    #expect(definition.onError == ErrorPolicy(retry: 2, otherwise: .run("respond")))
    #expect(definition.uncertain == .ask && definition.tools == ["search"])
  }

  @Test func whatIsNotSaidHasADefault() throws {
    let definition = try Loading.operatorReading(
      "{name: o, kind: llm, prompt: Hello, writes: [draft], description: }"
    ).get()
    #expect(definition.writes == [Write(key: "draft", type: .any)])
    #expect(definition.reads.isEmpty && definition.frame == nil && definition.profile == nil)
    #expect(definition.onError == ErrorPolicy() && definition.uncertain == .retry)
    guard case .never = definition.review else {
      Issue.record("reviewed")
      return
    }
  }

  @Test(
    arguments: [
      ("on_error: {else: skip}", ErrorPolicy(otherwise: .skip)),
      ("on_error: {retry: 1, else: fail}", ErrorPolicy(retry: 1)),
      ("on_error: {retry: 3}", ErrorPolicy(retry: 3)),
    ])
  func errorPolicies(line: String, policy: ErrorPolicy) throws {
    let text = "name: o\nkind: llm\nprompt: Hello\nwrites: [draft]\n" + line
    #expect(try Loading.operatorReading(text).get().onError == policy)
  }

  @Test func rulesAreRead() throws {
    let definition = try Loading.operatorReading(
      """
      name: r
      kind: rule
      reads: [input, preferences, draft]
      writes: {priority: text, count: number, copy: any, draft: text, note: text}
      rules:
        - when: input contains "now"
          set: {priority: high, count: 2, copy: "{{preferences}}", note: "for {{input}}"}
          append: {note: "\\nand more"}
          replace: {draft: {a: b, "c d": ""}}
        - set: {note: '\\{{literal}}'}
      """
    ).get()
    #expect(definition.rules.count == 2)
    let rule = definition.rules[0]
    #expect(rule.when?.source == "input contains \"now\"")
    #expect(rule.set.map(\.key) == ["priority", "count", "copy", "note"])
    #expect(rule.append.map(\.key) == ["note"])
    #expect(rule.replace.map { "\($0.key)|\($0.from)|\($0.to)" } == ["draft|a|b", "draft|c d|"])
    let values = rule.set.map { value in
      switch value.value {
      case .literal(let literal): "literal \(literal.json())"
      case .path(let path): "path \(path)"
      case .template(let template): "template \(template.source)"
      }
    }
    #expect(
      values == ["literal \"high\"", "literal 2", "path preferences", "template for {{input}}"])
    guard case .literal("{{literal}}") = definition.rules[1].set[0].value else {
      Issue.record("the escaped braces are no literal")
      return
    }
  }

  @Test func readsAndWritesAreDerivedFromRules() throws {
    let definition = try Loading.operatorReading(
      """
      name: r
      kind: rule
      rules:
        - set: {priority: normal}
        - {when: priority == "normal" and input contains "x", append: {log: "{{metadata.tone}}"}}
      """
    ).get()
    #expect(
      definition.writes == [Write(key: "priority", type: .any), Write(key: "log", type: .any)])
    #expect(definition.reads == ["input", "log", "metadata.tone"])
    #expect(definition.optionalReads == ["log"])
  }

  @Test func compositionsAreRead() throws {
    let definition = try Loading.operatorReading(
      """
      name: c
      kind: rule
      compose: {key: output, parts: [draft, {from: why.text, heading: "## Why"}]}
      """
    ).get()
    #expect(definition.writes == [Write(key: "output", type: .text)])
    #expect(definition.reads == ["draft", "why.text"])
    #expect(
      definition.compose
        == Composition(
          key: "output",
          parts: [
            Composition.Part(from: "draft"), Composition.Part(from: "why.text", heading: "## Why"),
          ]))
  }

  @Test func promptsCanBeFilesOfTheirOwn() throws {
    let text = "name: o\nkind: llm\nreads: [input]\nwrites: [draft]\nprompt_path: prompts/o.md\n"
    let siblings = ["prompts/o.md": Array("Hello {{input}}".utf8)]
    let definition = try Loading.operatorReading(text, siblings: siblings).get()
    #expect(definition.prompt?.source == "Hello {{input}}")

    let broken = try Loading.operatorReading(
      text, siblings: ["prompts/o.md": Array("One\nTwo {{x!}}".utf8)])
    let expected = SourceLocation(file: "operators/prompts/o.md", line: 2, column: 8)
    #expect(broken.failures.map(\.location) == [expected])

    let binary = try Loading.operatorReading(text, siblings: ["prompts/o.md": [0xFF]])
    #expect(binary.failures.first?.message.contains("not UTF-8") == true)
  }

  @Test(
    arguments: [
      "/etc/passwd", "../o.md", "a/../../o.md", "./o.md", "a//o.md", "a/", "a/..",
    ])
  func promptsStayBesideTheDefinition(path: String) throws {
    let reading = try Loading.operatorReading(
      "name: o\nkind: llm\nwrites: [draft]\nprompt_path: \(path)\n",
      siblings: [path: Array("stolen".utf8)])
    #expect(reading.failures.map(\.message) == ["`prompt_path` leads out of the operator's folder"])
    #expect(reading.failures.first?.location?.line == 4)
  }

  private static let llm = "name: o\nkind: llm\n"
  private static let valid = "name: o\nkind: llm\nprompt: Hello\nwrites: [draft]\n"
  private static let rule = "name: r\nkind: rule\n"

  static let mistakes: [Mistake] = [
    Mistake("[a]", "1:1", "must be a mapping, but is a list"),
    Mistake("kind: llm", "1:1", "no `name`"),
    Mistake("name: o", "1:1", "no `kind`", suggestion: "`llm`, `tool`, `human`"),
    Mistake("name: Bad Name\nkind: llm", "1:7", "must be a name", suggestion: "lowercase"),
    Mistake("name: 7\nkind: llm", "1:7", "`name` must be text, but is `7`", suggestion: "quote it"),
    Mistake("name: o\nkind: lm", "2:7", "`kind` must be `llm`", suggestion: "did you mean `llm`?"),
    Mistake("name: o\nkind: [llm]", "2:7", "but is a list"),
    Mistake(llm + "writes: [draft]", "1:1", "needs a prompt"),
    Mistake(llm + "prompt: Hello", "1:1", "does not store its answer"),
    Mistake(valid + "reads: input", "5:8", "`reads` must be a list of paths"),
    Mistake(valid + "reads: [input, 'a b']", "5:16", "`reads` lists paths"),
    Mistake(valid + "reads: [a.]", "5:9", "`reads` lists paths"),
    Mistake(valid + "reads: [1]", "5:9", "must be text"),
    Mistake(llm + "prompt: Hi\nwrites: {a.b: text}", "4:15", "cannot be a key"),
    Mistake(llm + "prompt: Hi\nwrites: {input: text}", "4:17", "cannot write `input`"),
    Mistake(llm + "prompt: Hi\nwrites: {a: string}", "4:13", "`a` must be `text`"),
    Mistake(llm + "prompt: Hi\nwrites: [a, a]", "4:9", "names `a` twice"),
    Mistake(llm + "prompt: Hi\nwrites: [a, b]", "4:9", "cannot fill 2 keys"),
    Mistake(llm + "prompt: Hi\nwrites: {a: number}", "4:9", "the answer is text"),
    Mistake(valid + "profile: quick", "5:10", "`profile` must be `speed`"),
    Mistake(valid + "max_tokens: 0", "5:13", "a whole number from 1 to 1000000, but is `0`"),
    Mistake(valid + "max_tokens: many", "5:13", "but is the text `many`"),
    Mistake(valid + "max_tokens: 1.5", "5:13", "but is `1.5`"),
    Mistake(valid + "max_tokens: \"4\"", "5:13", "but is the text `4`"),
    Mistake(valid + "temperature: 3", "5:14", "a number from 0 to 2"),
    Mistake(valid + "timeout: -1", "5:10", "a number of seconds from"),
    Mistake(valid + "timeout: .inf", "5:10", "`timeout` must be"),
    Mistake(valid + "uncertain: maybe", "5:12", "`retry`, `ask` or `fail`"),
    Mistake(valid + "prompt_path: o.md", "5:14", "both given"),
    Mistake(
      llm + "writes: [a]\nprompt_path: no.md", "4:14", "there is no file", suggestion: "create"),
    Mistake(
      llm + "writes: [a]\nprompt: {{x}}", "4:10", "a key must be text, not a list or a mapping"),
    // Locations inside texts.
    Mistake(llm + "writes: [a]\nprompt: Hello {{x", "4:15", "no closing `}}`"),
    Mistake(llm + "writes: [a]\nprompt: \"Hello {{x!}}\"", "4:19", "takes one path"),
    Mistake(llm + "writes: [a]\nprompt: |\n  One\n    {{x!}}\n", "6:8", "takes one path"),
    Mistake(llm + "writes: [a]\nprompt: |\n\n\n   Ok {{x!}}\n", "7:10", "takes one path"),
    Mistake(llm + "writes: [a]\nprompt: Hello {{x}}", "4:15", "inserts `x`", suggestion: "add `x`"),
    Mistake(
      llm + "reads: [draft]\nwrites: [a]\nprompt: |\n  Hello\n  {{drft}}", "7:3", "inserts `drft`",
      suggestion: "did you mean `draft`?"),
    Mistake(valid + "then: [{to: a, when: x = 1}]", "5:24", "`=` is not a comparison"),
    Mistake(valid + "then: [{to: a, when: 'x = 1'}]", "5:25", "`=` is not a comparison"),
    Mistake(valid + "then:\n  - to: a\n    when: >-\n      x ==\n", "8:11", "value is missing"),
    // Routes.
    Mistake(valid + "then: [{when: a}]", "5:8", "needs one of `to` and `review`"),
    Mistake(valid + "then: [{to: a, review: human}]", "5:8", "needs one of"),
    Mistake(valid + "then: [{review: robot}]", "5:17", "must be `human`"),
    Mistake(valid + "then: [{to: a, subject: draft}]", "5:25", "belongs to `review: human`"),
    Mistake(valid + "then: [{to: a, at_most: 0}]", "5:25", "from 1 to 1000"),
    Mistake(valid + "then: [{to: A}]", "5:13", "must be a name"),
    Mistake(valid + "then: [respond]", "5:8", "must be a mapping"),
    Mistake(valid + "then: [{to: a, when: [x]}]", "5:22", "must be a condition"),
    Mistake(valid + "review: sometimes", "5:9", "`always`, `never` or `{when: …}`"),
    Mistake(valid + "review: {}", "5:9", "needs a condition"),
    Mistake(valid + "on_error: {retry: 99}", "5:19", "from 0 to 10"),
    Mistake(valid + "on_error: skip", "5:11", "must be a mapping"),
    // Schemas.
    Mistake(valid + "output: text", "5:9", "a JSON Schema"),
    Mistake(valid + "output: {type: string}", "5:16", "schema of an object"),
    Mistake(valid + "output: {type: object}", "5:9", "no properties"),
    Mistake(valid + "output: {type: object, properties: [a]}", "5:36", "must be a mapping"),
    Mistake(
      valid + "output: {type: object, properties: {a: string}}", "5:9", "wrong at #/properties/a"),
    Mistake(
      valid + "output: {type: object, properties: {a: {type: text}}}", "5:9",
      "wrong at #/properties/a/type"),
    Mistake(
      valid + "output: {type: object, properties: {reasons: {}}, required: [reason]}", "5:62",
      "which is not a property", suggestion: "did you mean `reasons`?"),
    Mistake(
      llm + "prompt: Hi\nwrites: {a: text}\noutput: {type: object, properties: {b: {}}}", "4:9",
      "`output` describes an object"),
    Mistake(
      llm + "prompt: Hi\nwrites: [a, b]\noutput: {type: object, properties: {b: {}}}", "4:9",
      "no property for `a`"),
    // Kinds.
    Mistake("name: r\nkind: rule", "1:1", "needs rules"),
    Mistake(rule + "rules: []", "3:8", "`rules` is empty"),
    Mistake(rule + "rules: {set: {a: b}}", "3:8", "must be a list of rules"),
    Mistake(rule + "rules: [{when: a}]", "3:9", "changes nothing"),
    Mistake(rule + "rules: [{set: [a]}]", "3:15", "a mapping of keys to values"),
    Mistake(rule + "rules: [{append: {a: 1}}]", "3:22", "`a` must be text"),
    Mistake(rule + "rules: [{replace: {a: b}}]", "3:23", "texts to their replacements"),
    Mistake(
      rule + "rules: [{replace: {a: {\"\": b}}}]", "3:28", "an empty text cannot be replaced"),
    Mistake(rule + "rules: [{set: {input: b}}]", "3:8", "cannot write `input`"),
    Mistake(
      rule + "writes: [b]\nrules: [{set: {a: 1}}]", "3:9", "changes `a`", suggestion: "add `a`"),
    Mistake(
      rule + "reads: [input]\nrules: [{when: other, set: {a: 1}}]", "3:8", "looks at `other`"),
    Mistake(
      rule + "reads: []\nwrites: [a]\nrules: [{append: {a: x}}]", "3:8", "looks at `a`"),
    Mistake(
      rule + "rules: [{set: {a: 1}}]\ncompose: {key: b, parts: [c]}", "1:1", "both given"),
    Mistake(rule + "compose: {parts: [a]}", "3:10", "no key to write"),
    Mistake(rule + "compose: {key: output}", "3:10", "no parts"),
    Mistake(rule + "compose: {key: output, parts: [{heading: x}]}", "3:32", "no source"),
    Mistake(rule + "compose: {key: output, parts: ['a b']}", "3:32", "must be a path"),
    Mistake("name: m\nkind: memory", "1:1", "what it does", suggestion: "memory: recall"),
    Mistake("name: m\nkind: memory\nmemory: forget", "3:9", "`recall` or `remember`"),
    Mistake("name: t\nkind: tool", "1:1", "exactly one tool"),
    Mistake("name: t\nkind: tool\ntools: [a, b]", "3:8", "exactly one tool"),
    Mistake("name: a\nkind: agent", "1:1", "which agent"),
  ]

  @Test(arguments: mistakes)
  func mistakesAreReportedWithTheirLocation(mistake: Mistake) throws {
    let reading = try Loading.operatorReading(mistake.text)
    #expect(reading.definition == nil)
    #expect(mistake.isTold(by: reading.failures), "\(reading.failures)")
    #expect(reading.failures.allSatisfy { $0.location?.file == "o.yaml" })
  }

  @Test func allMistakesAreReportedAtOnceInOrder() throws {
    let reading = try Loading.operatorReading(
      """
      name: o
      kind: llm
      max_tokens: many
      writes: {draft: text}
      prompt: "{{ x"
      uncertain: maybe
      """)
    #expect(reading.failures.map { $0.location?.line } == [3, 5, 6])
    let failure = #expect(throws: Failure.self) { try reading.get() }
    #expect(failure?.location?.line == 3)
    #expect(failure?.details.count == 2)
    #expect(failure?.details.first?.hasPrefix("o.yaml:5:10: ") == true)
    #expect(failure?.excerpt == "max_tokens: many")
    #expect(reading.failures[1].excerpt == "prompt: \"{{ x\"")
  }

  @Test(
    arguments: [
      ("promt: x", 5, "`promt` is unknown in an operator and ignored; did you mean `prompt`?"),
      (
        "output: {type: object, properties: {draft: {pattern: x}}}", 5,
        "in `output`, #/properties/draft/pattern: 'pattern' is not checked"
      ),
      ("zebra: x", 5, "`zebra` is unknown in an operator and ignored"),
      ("rules: []", 5, "`rules` has no effect on an operator of kind `llm`"),
      ("then: [{to: a, atmost: 1}]", 5, "did you mean `at_most`?"),
    ])
  func ignoredFieldsCauseAWarning(line: String, row: Int, message: String) throws {
    let reading = try Loading.operatorReading(Self.valid + line)
    #expect(reading.warnings.count == 1)
    #expect(reading.warnings.first?.message.contains(message) == true, "\(reading.warnings)")
    #expect(reading.warnings.first?.location?.line == row)
  }

  @Test func hostileTextIsShownPrintable() throws {
    let reading = try Loading.operatorReading(Self.valid + "profile: \"\\e[31m\\u202e\"")
    let message = try #require(reading.failures.first?.message)
    let scalars = message.unicodeScalars
    #expect(!scalars.contains("\u{1B}") && !scalars.contains("\u{202E}"))
  }
}
