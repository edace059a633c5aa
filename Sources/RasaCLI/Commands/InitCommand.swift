import RasaCore
import RasaKit
import RasaSystem

/// `rasa init`: a first persona and operator to change.
struct InitCommand {
  let house: CompositionRoot
  let print: Printer

  func run(name: String, isUserWide: Bool, overwrites: Bool) throws {
    let isName =
      name.utf8.first.map { $0 != UInt8(ascii: "-") && $0 != UInt8(ascii: "_") } == true
      && name.utf8.allSatisfy { byte in
        (byte >= 97 && byte <= 122) || (byte >= 48 && byte <= 57) || byte == 45 || byte == 95
      }
    guard isName else {
      throw Failure(
        .usage, "`\(name)` is not a valid persona name",
        suggestion: "use lowercase letters, digits, `_` and `-`")
    }
    let root =
      isUserWide
      ? FileRoot(house.folders.configuration, links: .anywhere)
      : FileRoot(".", links: house.isProjectOwn ? .anywhere : .inside)
    let operatorName = "\(name)_check"
    let files = [
      ("personas/\(name).yaml", Self.persona(name, operatorName)),
      ("operators/\(operatorName).yaml", Self.operatorFile(operatorName)),
    ]
    func shown(_ path: String) -> String { "\(root.folder)/\(path)" }
    for (path, _) in files where FileSystem.exists(shown(path)) && !overwrites {
      throw Failure(
        .usage, "\(shown(path)) exists already", suggestion: "choose another --name, or add --force"
      )
    }
    for (path, text) in files {
      try root.write(text, to: path, mode: 0o644, replacing: overwrites)
      try print(text: "wrote \(shown(path))\n")
    }
    try print(text: "now try: rasa run --persona \(name) --input \"What should I read first?\"\n")
  }

  static func persona(_ name: String, _ operatorName: String) -> String {
    """
    # A persona: who answers, in which frames, with which operators.
    # Check it with `rasa personas validate \(name)`, see it with `rasa personas graph \(name)`.
    name: \(name)
    description: A careful assistant that checks its own answer once.

    # The frames are walked in this order. `session_frame` remembers the conversation when the run
    # is given a `--session`.
    frames: [stateless_frame, session_frame]

    # The draft (`respond`) is implied; this operator looks at it and may send it back once.
    operators:
      - \(operatorName)

    prompt_style: concise
    metadata:
      tone: friendly

    # What one run may take at most.
    limits: {steps: 20, seconds: 120, cost: 0.10}

    """
  }

  static func operatorFile(_ name: String) -> String {
    """
    # An operator: what it reads, what it writes, and what it asks a model.
    # See it with `rasa operators show \(name)`.
    name: \(name)
    kind: llm
    frame: session_frame
    description: Reads the draft and sends it back once when it does not answer the question.
    reads: [input, draft]
    writes: {critique: object}
    max_tokens: 200
    prompt: |
      The question was:
      {{input}}

      The draft of the answer is:
      {{draft}}

      Does the draft answer the question, in plain words and without made-up facts?
      Give the verdict `pass` or `revise`, and one sentence that says why.
    # The answer's form, as JSON Schema: it is checked, and repaired once.
    output:
      type: object
      properties:
        verdict: {type: string, enum: [pass, revise]}
        reason: {type: string}
      required: [verdict, reason]
    # Where the run goes from here: back to the draft, at most once.
    then:
      - {when: critique.verdict == "revise", to: respond, at_most: 1}

    """
  }
}
