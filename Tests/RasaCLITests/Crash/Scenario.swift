import RasaCore
import RasaPersona
import RasaTestKit
import Testing

/// A run that is to be crashed: a persona, what it is asked, and a provider whose answers depend on
/// nothing but the question, so that every way to the end must come out the same.
struct Scenario: Sendable, CustomTestStringConvertible {
  var name: String
  var persona: String
  /// Written into the home's folder of personas; nil for one that ships.
  var document: String?
  /// Written into the home's folder of agents, by id.
  var agents: [String: String] = [:]
  var input = "Is Nvidia a buy?"
  /// What runs and resumes it: `rasa`, or a program that has operators of its own.
  var program = "rasa"
  /// What its tool's operator says about attempts in doubt; nil without a tool.
  var uncertain: UncertainPolicy?
  /// Written into the home's folder of personas as `hook.sh`. `LEDGER` is a folder outside that it may write in.
  var hook: String?
  var preferences: [String] = []
  /// What a person has the persona remember before.
  var remembered: [String] = []
  /// Whether what is remembered has vectors from the start, and what is said gets some.
  var embeds = false
  var scripts: [Script]

  var testDescription: String { name }

  /// Every question to a person is left to later, so that it outlives the process.
  var arguments: [String] {
    ["run", "-p", persona, input, "--session", "s", "--approval", "defer", "--json"]
      + preferences.flatMap { ["--preferences", $0] }
  }

  /// The same answers, a few milliseconds long each, so that a kill at any time can hit them.
  func slowed() -> Scenario {
    var scenario = self
    scenario.scripts = scripts.map { script in
      script.with {
        $0.tokenDelay = .milliseconds(1)
        $0.headersDelay = .milliseconds(2)
        $0.chunking = .eachEvent
      }
    }
    return scenario
  }

  static let all = [
    stockAnalyst, branches, review, repair, substitute, services, tool(.retry), tool(.ask),
    modelWithTool(.retry), modelWithTool(.ask), hooks, remembering,
    recallingByMeaning,
  ]
  /// One of everything that matters most, for every run of the tests.
  static let few = [
    stockAnalyst, review, services, tool(.ask), modelWithTool(.ask), modelWithTool(.retry), hooks,
    remembering, recallingByMeaning,
  ]
}

extension Script {
  /// Answers the requests in whose messages that text stands.
  fileprivate static func answer(_ text: String, to part: String) -> Script {
    Script.text(text).with { script in
      script.matches = { request in request.messages.contains { $0.contains(part) } }
    }
  }
}

extension [Script] {
  /// What is not foreseen is answered too, and every key is known again.
  fileprivate var complete: [Script] { (self + [Script()]).map { $0.rememberingKeys() } }
}

// MARK: - The scenarios

extension Scenario {
  /// Five calls, with memory, session and notes.
  static let stockAnalyst = Scenario(
    name: "the first example", persona: "strategic_stock_analyst",
    preferences: ["risk_tolerance=low", "sector=technology"],
    scripts: [
      .forOperator("critic_agent", #"{"verdict": "pass", "reasons": []}"#),
      .answer("Hold what you have, and buy on weakness only.", to: "Begin with the answer itself"),
      .answer("It rests on the margin and on the order book.", to: "whether to rely on it"),
      .answer("- **A broad fund**: less risk, less reward.", to: "two to four alternatives"),
    ].complete)

  /// Something is recalled, and a model finds what to remember of the answer.
  static let remembering = Scenario(
    name: "a memory", persona: "keeper",
    document: """
      name: keeper
      description: Knows what it was told.
      frames: [session_frame, short_term_frame, long_term_frame]
      operators:
        - {name: respond, reads: [input, context.memories], prompt: "KNOWN {{context.memories}} ASKED {{input}}"}
        - {name: sum_up, kind: llm, frame: short_term_frame, reads: [draft], writes: {summary: text}, prompt: "SHORT {{draft}}"}
      memory:
        keep: user
        extract: {model: "openai:gpt-4o-mini", max_cost: 0.05}
      """,
    input: "I moved to Oslo in May. Is Nvidia a buy?", preferences: ["risk_tolerance=low"],
    remembered: ["lives in Rome", "risk_tolerance: high"],
    scripts: [
      .answer(
        #"{"facts": [{"text": "lives in Oslo since May", "kind": "profile", "quote": "I moved to Oslo in May"}]}"#,
        to: "List what will still be worth knowing"),
      .answer("all of it in short", to: "SHORT"),
      .answer("buy on weakness only", to: "ASKED"),
    ].complete)

  /// Something is recalled by a vector, and what was said gets vectors after the answer, in a run of its own.
  static let recallingByMeaning = Scenario(
    name: "a memory with vectors", persona: "keeper",
    document: """
      name: keeper
      description: Knows what it was told.
      frames: [session_frame, long_term_frame]
      operators:
        - {name: respond, reads: [input, context.memories], prompt: "KNOWN {{context.memories}} ASKED {{input}}"}
      memory: {embeddings: "openai:text-embedding-3-small"}
      """,
    input: "Is my better half well?", remembered: ["Married to Berta.", "Her brother sails."],
    embeds: true, scripts: [.answer("Berta is well", to: "ASKED")].complete)

  /// Two branches at the same time, each with two calls.
  static let branches = Scenario(
    name: "two branches", persona: "branches",
    document: """
      name: branches
      description: Looks at a thing from two sides at the same time.
      frames:
        - name: intake_frame
          kind: stateless
          operators: [read_it]
          parallel: [left_frame, right_frame]
          next: join_frame
        - {name: left_frame, kind: short_term, operators: [look_left, check_left]}
        - {name: right_frame, kind: short_term, operators: [look_right, check_right]}
        - {name: join_frame, kind: session, operators: [respond, compose], next: end}
      operators:
        - {name: read_it, kind: llm, reads: [input], writes: {terms: text}, prompt: "READ {{input}}"}
        - {name: look_left, kind: llm, reads: [terms], writes: {left: text}, prompt: "LEFT {{terms}}"}
        - {name: check_left, kind: llm, reads: [left], writes: {left_check: text}, prompt: "SURE {{left}}"}
        - {name: look_right, kind: llm, reads: [terms], writes: {right: text}, prompt: "RIGHT {{terms}}"}
        - {name: check_right, kind: llm, reads: [right], writes: {right_check: text}, prompt: "TRUE {{right}}"}
        - name: respond
          reads: [left, left_check, right, right_check]
          prompt: "JOIN {{left}} {{left_check}} {{right}} {{right_check}}"
        - name: compose
          reads: [draft, left_check]
          compose: {key: output, parts: [draft, {from: left_check, heading: "## Checked"}]}
      """,
    scripts: [
      .answer("all the terms there are", to: "READ"), .answer("the left side of it", to: "LEFT"),
      .answer("the left side is sure", to: "SURE"), .answer("the right side of it", to: "RIGHT"),
      .answer("the right side is true", to: "TRUE"), .answer("both sides in one text", to: "JOIN"),
    ].complete)

  /// A person decides whether the draft may go out.
  static let review = Scenario(
    name: "a person's approval", persona: "review",
    document: """
      name: review
      description: Drafts, asks a person, and explains.
      frames:
        - {name: draft_frame, kind: session, operators: [respond, hitl, explain, compose], next: end}
      operators:
        - {name: respond, reads: [input], prompt: "DRAFT {{input}}"}
        - {name: hitl}
        - {name: explain, kind: llm, reads: [draft, approval], writes: {why: text}, prompt: "WHY {{draft}}"}
        - name: compose
          reads: [draft, why]
          compose: {key: output, parts: [draft, {from: why, heading: "## Why"}]}
      """,
    scripts: [
      .answer("because it is so", to: "WHY"), .answer("a draft for a person to read", to: "DRAFT"),
    ].complete)

  /// Agents work one after the other, a person is asked inside one, and the last goes back once.
  static let services = Scenario(
    name: "agents", persona: "workshop",
    document: """
      name: services
      description: Plans, writes with a person's leave, and checks.
      frames:
        - {name: plan, agent: made-up-planner}
        - {name: write, agent: made-up-writer}
        - {name: check, agent: made-up-checker}
      """,
    agents: [
      "made-up-planner": """
      ---
      name: made-up-planner
      description: Plans what is to be written.
      ---
      PLAN what is asked.
      """,
      "made-up-writer": """
      ---
      name: made-up-writer
      description: Writes what was planned.
      quality_gates: [human_approval]
      ---
      WRITE what is planned.
      """,
      "made-up-checker": """
      ---
      name: made-up-checker
      description: Checks what was written.
      loop_behavior: {steps: 2, max_iterations: 1, skip: [write]}
      ---
      CHECK what is written.
      """,
    ],
    scripts: [
      .answer(
        #"{"again": true, "reason": "the plan is thin"}"#, to: "Several people work on a task"),
      .answer("first this, then that", to: "PLAN what"),
      .answer("this and that in words", to: "WRITE what"),
      .answer("it is as it was planned", to: "CHECK what"),
    ].complete)

  /// The first answer does not have its form and is repaired.
  static let repair = Scenario(
    name: "a repaired answer", persona: "repair",
    document: """
      name: repair
      description: Needs a second try for its form.
      frames:
        - {name: only_frame, kind: session, operators: [judge, respond, compose], next: end}
      operators:
        - name: judge
          kind: llm
          reads: [input]
          writes: {judgement: object}
          prompt: "JUDGE {{input}}"
          output:
            type: object
            properties: {verdict: {type: string, enum: [good, bad]}}
            required: [verdict]
            additionalProperties: false
        - {name: respond, reads: [input, judgement], prompt: "ANSWER {{input}} {{judgement}}"}
        - {name: compose, reads: [draft], compose: {key: output, parts: [draft]}}
      """,
    scripts: [
      .answer(#"{"verdict": "good"}"#, to: "does not have the required form"),
      .answer(#"{"verdict": "excellent"}"#, to: "JUDGE"),
      .answer("it was judged and is good", to: "ANSWER"),
    ].complete)

  /// A tool is used between two calls.
  static func tool(_ uncertain: UncertainPolicy, word: String = "a word to note") -> Scenario {
    Scenario(
      name: "a tool, in doubt \(uncertain.rawValue)", persona: "clerk",
      document: """
        name: clerk
        description: Notes something down and reports.
        frames:
          - {name: only_frame, kind: session, operators: [find, note_down, respond, compose], next: end}
        operators:
          - {name: find, kind: llm, reads: [input], writes: {word: text}, prompt: "FIND {{input}}"}
          - {name: note_down, uncertain: \(uncertain.rawValue)}
          - {name: respond, reads: [noted], prompt: "REPORT {{noted}}"}
          - {name: compose, reads: [draft], compose: {key: output, parts: [draft]}}
        """,
      program: "rasa-with-tool", uncertain: uncertain,
      scripts: [
        .answer(word, to: "FIND"), .answer("it was noted down", to: "REPORT"),
      ].complete)
  }

  /// Hooks at every point, one of which changes what the tool is given.
  static let hooks: Scenario = {
    var scenario = modelWithTool(.retry)
    scenario.name = "hooks"
    let points = [
      "run_start", "before_model", "before_tool", "after_tool", "before_output", "run_end",
    ]
    scenario.document =
      (scenario.document ?? "") + "\nhooks:\n"
      + points.map { point in
        "  \(point): {run: [sh, hook.sh], name: keeper, timeout: 60, on_failure: refuse, "
          + "sandbox: {write: [LEDGER]}}\n"
      }.joined()
    scenario.hook = """
      cd LEDGER || exit 1
      tr -d '\\n' > "document.$$" || exit 1
      # Whoever asks may be killed before the document is handed over: then this was not asked.
      case "$(tail -c 1 "document.$$")" in "}") ;; *) exit 1 ;; esac
      { printf '%s\\t' "$RASA_IDEMPOTENCY_KEY"; cat "document.$$"; echo; } > "line.$$"
      cat "line.$$" >> lines
      [ "$RASA_EVENT" = before_tool ] || exit 0
      echo '{"change": {"arguments": {"word": "another word"}}}'
      """
    return scenario
  }()

  /// A model uses the tool, and answers with what it returned.
  static func modelWithTool(_ uncertain: UncertainPolicy) -> Scenario {
    let call = ScriptedCall(id: "call_1", name: "note_down", arguments: ["word": "a word"])
    return Scenario(
      name: "a model with a tool, in doubt \(uncertain.rawValue)", persona: "secretary",
      document: """
        name: secretary
        description: Keeps what it is told, and reports.
        frames:
          - {name: only_frame, kind: session, operators: [respond, compose], next: end}
        operators:
          - name: respond
            kind: llm
            reads: [input]
            writes: {draft: text}
            tools: [note_down]
            uncertain: \(uncertain.rawValue)
            prompt: "KEEP {{input}}"
          - {name: compose, reads: [draft], compose: {key: output, parts: [draft]}}
        """,
      program: "rasa-with-tool", uncertain: uncertain,
      scripts: [
        .answer("it was written down", to: "noted"),
        Script.calls([call]).with { script in
          script.matches = { request in request.messages.contains { $0.contains("KEEP") } }
        },
      ].complete)
  }

  /// An operator never answers in its form, is tried again, and another one takes its place.
  static let substitute = Scenario(
    name: "a substitute", persona: "substitute",
    document: """
      name: substitute
      description: Falls back on a simpler operator.
      frames:
        - {name: only_frame, kind: session, operators: [clever, respond, compose], next: end}
      operators:
        - name: clever
          kind: llm
          reads: [input]
          writes: {finding: object}
          prompt: "CLEVER {{input}}"
          output: {type: object, properties: {what: {type: string}}, required: [what]}
          on_error: {retry: 1, else: plain}
        - name: plain
          kind: llm
          reads: [input]
          writes: {finding: object}
          prompt: "PLAIN {{input}}"
          output: {type: object, properties: {what: {type: string}}, required: [what]}
        - {name: respond, reads: [finding], prompt: "ANSWER {{finding}}"}
        - {name: compose, reads: [draft, finding], compose: {key: output, parts: [draft, finding]}}
      """,
    scripts: [
      .answer("no JSON at all", to: "CLEVER"),
      .answer(#"{"what": "a plain finding"}"#, to: "PLAIN"),
      .answer("an answer from the finding", to: "ANSWER"),
    ].complete)
}
