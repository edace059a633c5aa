import RasaSystem
import RasaTestKit
import Testing

/// The pages of documentation, taken apart. Every page in the repository's folder, in `docs` and in the
/// library's documentation is read, so a new one is checked without being named anywhere.
enum Documentation {
  /// A command line, with what is shown below it.
  struct Line: Sendable, CustomTestStringConvertible {
    var file: String
    var text: String
    /// What has to be run first, from the same block.
    var before: [String] = []
    var output: [String] = []
    var testDescription: String { "\(file): \(text)" }
  }

  struct Block: Sendable, CustomTestStringConvertible, CustomStringConvertible {
    var file: String
    var line: Int
    var language: String
    var text: String
    var description: String { "\(file):\(line)" }
    var testDescription: String { description }
  }

  static let pages: [String] = ["", "docs/", "Sources/RasaKit/RasaKit.docc/"].flatMap { folder in
    let entries = (try? FileSystem.list(Repository.path(folder))) ?? []
    return entries.map(\.name).filter { $0.hasSuffix(".md") }.sorted().map { folder + $0 }
  }

  static func lines(of page: String) -> [Substring] { (try? Repository.lines(page)) ?? [] }

  static let blocks: [Block] = pages.flatMap { page in
    var blocks: [Block] = []
    var open: Block?
    for (index, line) in lines(of: page).enumerated() {
      if line.hasPrefix("```") {
        if let block = open {
          blocks.append(block)
          open = nil
        } else {
          open = Block(file: page, line: index + 2, language: String(line.dropFirst(3)), text: "")
        }
      } else {
        open?.text += line + "\n"
      }
    }
    return blocks
  }

  /// The text outside blocks.
  static func prose(of page: String) -> String {
    var isInside = false
    var text = ""
    for line in lines(of: page) {
      if line.hasPrefix("```") {
        isInside.toggle()
      } else if !isInside {
        text += line + "\n"
      }
    }
    return text
  }

  /// What the page writes between backquotes.
  static func codes(of page: String) -> [String] {
    prose(of: page).matches(of: /`([^`]+)`/).map { match in
      match.1.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    }
  }

  // MARK: Kinds of blocks

  static let commands = blocks.filter { ["", "sh", "bash"].contains($0.language) }
  static let files = blocks.filter { ["yaml", "toml", "markdown"].contains($0.language) }
  static let documents = blocks.filter { $0.language == "json" }
  static let swift = blocks.filter { $0.language == "swift" }
  /// Text that begins with a command is what that command prints.
  static let recordings = blocks.filter { $0.language == "text" && $0.text.hasPrefix("$ rasa ") }
  /// Drawings, and text that is not an example of anything.
  static let others = blocks.filter {
    $0.language == "mermaid" || ($0.language == "text" && !$0.text.hasPrefix("$ "))
  }

  /// The lines of a block: with prompts, those behind one are typed, and the others are printed.
  static func lines(of block: Block) -> [Line] {
    var found: [Line] = []
    let lines = block.text.replacing("\\\n", with: " ").split(separator: "\n")
    let hasPrompts = lines.contains { $0.hasPrefix("$ ") }
    for line in lines {
      if hasPrompts, !line.hasPrefix("$ ") {
        if !found.isEmpty { found[found.count - 1].output.append(String(line)) }
        continue
      }
      var text = String(hasPrompts ? line.dropFirst(2) : line)
      if let remark = text.firstRange(of: "  #") { text = String(text[..<remark.lowerBound]) }
      // What is optional is left out.
      text.replace(/\ \[[^\]]*\]/, with: "")
      while text.last == " " { text.removeLast() }
      if !text.isEmpty { found.append(Line(file: block.file, text: text)) }
    }
    return found
  }

  /// Each line of the program, with those of other programs before it and the definitions that it needs.
  static let commandLines: [Line] = commands.flatMap { (block: Block) -> [Line] in
    var before: [String] = []
    return lines(of: block).compactMap { (line: Line) -> Line? in
      guard isOfProgram(line.text) else {
        before.append(line.text)
        return nil
      }
      defer { if line.text.hasPrefix("rasa init") { before.append(line.text) } }
      var line = line
      line.before = before
      return line
    }
  }

  static let shown = commandLines.filter { !$0.output.isEmpty }

  static func isOfProgram(_ line: String) -> Bool {
    line.hasPrefix("rasa ") || line.contains("| rasa ")
  }
}
