import RasaCore
/// The `allowed-tools` of a skill, in the spelling of the programs that such files are written for, as far as it
/// means something here.
package struct AllowedTools: Sendable, Hashable {
  /// Patterns for names of tools; `*` stands for any part.
  package private(set) var patterns: [String] = []
  /// Words that mean no tool here.
  package private(set) var unknown: [String] = []

  package init(_ words: [String]) {
    for word in words {
      let found = Self.patterns(for: word)
      if found.isEmpty { unknown.append(word) } else { patterns += found }
    }
  }

  private static func patterns(for word: String) -> [String] {
    let name = String(word.prefix { $0 != "(" })
    let detail =
      name.utf8.count == word.utf8.count
      ? "" : String(word.dropFirst(name.count + 1).prefix { $0 != ")" })
    switch name {
    case "Bash", "Shell":
      // `Bash(git add:*)` is about the program git.
      let program = detail.prefix { $0 != ":" && $0 != " " && $0 != "*" }
      return program.isEmpty ? [SkillTools.runScript] : [SkillTools.runScript, String(program)]
    case "Read", "Glob", "Grep", "LS": return [SkillTools.readFile]
    case "Skill": return [SkillTools.load]
    case "Task", "Agent": return ["agent:*"]
    default: break
    }
    if name.hasBytePrefix("mcp__") {
      let parts = name.dropFirst(5).split(separator: "_", omittingEmptySubsequences: false)
      // Server and tool have two underscores between them.
      let text = parts.joined(separator: "_")
      if let between = text.firstRange(ofBytes: "__") {
        return ["mcp:\(text[..<between.lowerBound])/\(text[between.upperBound...])"]
      }
      return ["mcp:\(text)/*"]
    }
    // As tools are called here.
    let isOurs = name.hasBytePrefix("mcp:") || name.hasBytePrefix("agent:")
    let isPlain = name.utf8.allSatisfy { byte in
      (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte) || "_-*".utf8.contains(byte)
    }
    if isOurs {
      return name.utf8.contains(UInt8(ascii: "/")) || !name.hasBytePrefix("mcp:")
        ? [name] : ["\(name)/*"]
    }
    return isPlain && detail.isEmpty && !name.isEmpty ? [name] : []
  }
}
