import RasaCore
import RasaPersona
import RasaSystem

extension Rasa {
  /// Writes a first persona, and an operator for it, to be changed: with remarks that say what each part
  /// is for.
  ///
  /// - Parameters:
  ///   - name: The persona's name: lowercase letters, digits, `_` and `-`.
  ///   - isUserWide: Whether it goes to the user's own folder, and not to the project's.
  ///   - replacing: Whether files of these names are replaced.
  /// - Returns: The files that were written.
  /// - Throws: A `RasaError` of code `usage` when the name is not valid or a file exists. Nothing has been
  ///   written then.
  @discardableResult
  public func createStarter(
    named name: String, isUserWide: Bool = false, replacing: Bool = false
  ) async throws(RasaError) -> [String] {
    try await prepared { rasa throws(Failure) in
      guard Library.isName(name) else {
        throw Failure(
          .usage, "`\(name)` is not a valid persona name",
          suggestion: "use lowercase letters, digits, `_` and `-`")
      }
      let composition = rasa.composition
      let root =
        isUserWide
        ? FileRoot(composition.folders.configuration, links: .anywhere)
        : FileRoot(composition.project, links: composition.isProjectOwn ? .anywhere : .inside)
      let operatorName = "\(name)_check"
      let files = [
        ("personas/\(name).yaml", Starter.persona(name, operatorName)),
        ("operators/\(operatorName).yaml", Starter.operatorFile(operatorName)),
      ]
      func shown(_ path: String) -> String { "\(root.folder)/\(path)" }
      for (path, _) in files where FileSystem.exists(shown(path)) && !replacing {
        throw Failure(
          .usage, "\(shown(path)) exists already",
          suggestion: "choose another --name, or add --force")
      }
      return try writeFiles(files.map { ($0, Array($1.utf8)) }, in: root, replacing: replacing)
        .map(shown)
    }
  }
}

/// Writes files one after the other. An error names those that were written before it.
///
/// - Returns: their paths, as they were given.
@discardableResult
func writeFiles(
  _ files: [(path: String, bytes: [UInt8])], in root: FileRoot, replacing: Bool
) throws(Failure) -> [String] {
  var written: [String] = []
  for (path, bytes) in files {
    do throws(Failure) {
      try root.write(bytes, to: path, mode: 0o644, replacing: replacing)
    } catch {
      var failure = error
      failure.details += written.map { "\(FileSystem.path($0, in: root.folder)) was written" }
      throw failure
    }
    written.append(path)
  }
  return written
}

private enum Starter {
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

    # Tools that its operators may name under `tools:`; `rasa tools list -p \(name)` shows them.
    # tools:
    #   time: {kind: mcp, command: [uvx, mcp-server-time], side_effects: none}

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
