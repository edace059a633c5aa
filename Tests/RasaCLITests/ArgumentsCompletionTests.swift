import Foundation
import RasaCLI
import Testing

@Suite struct ArgumentsCompletionTests {
  private let script = CompletionScript(CommandLineInterface.root)

  @Test(arguments: CompletionScript.Shell.allCases)
  func everyCommandAndOptionIsOffered(shell: CompletionScript.Shell) {
    let text = script.text(for: shell)
    for (path, command) in everyCommand {
      #expect(text.contains((["rasa"] + path).joined(separator: "/")))
      for option in command.options where !option.isHidden {
        #expect(text.contains(shell == .fish ? "-l \(option.name)" : "--\(option.name)"))
      }
    }
  }

  /// What the bash function offers for the last word.
  private func bashOffers(_ words: [String]) throws -> [String] {
    let list = words.map { "'\($0)'" }.joined(separator: " ")
    let output = try run(
      "bash", "-uc",
      script.text(for: .bash)
        + "COMP_WORDS=(\(list)); COMP_CWORD=\(words.count - 1); _rasa; "
        + "printf '%s\\n' \"${COMPREPLY[@]}\"")
    return output.split(separator: "\n").map(String.init)
  }

  @Test(
    arguments: [
      (["rasa", "pers"], ["personas"]),
      (["rasa", "personas", ""], ["list", "show", "validate", "graph"]),
      (["rasa", "personas", "graph", "--format", ""], ["mermaid", "dot"]),
      (["rasa", "run", "--persona", "personas", "--out"], ["--output-format"]),
      (["rasa", "run", "--output-format", "s"], ["stream-json"]),
      (["rasa", "run", "--no-"], ["--no-stdin", "--no-stream"]),
      (["rasa", "run", "-i", ""], []),
      (["rasa", "--mode", ""], ["local", "api"]),
      (["rasa", "completions", "z"], ["zsh"]),
      (["rasa", "help", "do"], ["doctor"]),
      (["rasa", "help", "agents", "se"], ["search"]),
      (["rasa", "help", "runs", "pr"], ["prune"]),
      (["rasa", "run", "--output-format", "=", "s"], ["stream-json"]),
      (["rasa", "runs", "list", "--status", "pa"], ["parked"]),
      // A value is not a command, and an option behind the question is one.
      (["rasa", "run", "-p", "runs", "hello", "--out"], ["--output-format"]),
    ] as [([String], [String])])
  func bashOffersMatchingWords(words: [String], expected: [String]) throws {
    let offers = try bashOffers(words)
    if words.last == "" && !expected.isEmpty {
      #expect(expected.allSatisfy(offers.contains))
    } else {
      #expect(offers == expected)
    }
  }

  /// What the other shells say is seen in `ExternalTests`.
  @Test func bashAcceptsItsScript() throws {
    let file = FileManager.default.temporaryDirectory.appending(path: "rasa-\(UUID()).bash")
    try Data(script.text(for: .bash).utf8).write(to: file)
    defer { try? FileManager.default.removeItem(at: file) }
    _ = try run("bash", "-n", file.path)
  }
}

private func run(_ words: String...) throws -> String {
  let process = Process()
  let output = Pipe()
  process.executableURL = URL(filePath: "/usr/bin/env")
  process.arguments = words
  process.standardOutput = output
  try process.run()
  let data = output.fileHandleForReading.readDataToEndOfFile()
  process.waitUntilExit()
  try #require(process.terminationStatus == 0)
  return String(decoding: data, as: UTF8.self)
}
