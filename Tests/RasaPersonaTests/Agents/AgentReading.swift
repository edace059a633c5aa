import RasaCore
import RasaPersona

/// Agents from text.
enum AgentReading {
  static func load(
    toml: String? = nil, markdown: String? = nil, fileName: String = "arch-agent",
    category: String? = nil
  ) -> Reading<AgentLoader.LoadedAgent> {
    load(
      tomlBytes: toml.map { Array($0.utf8) }, markdownBytes: markdown.map { Array($0.utf8) },
      fileName: fileName, category: category)
  }

  static func load(
    tomlBytes: [UInt8]? = nil, markdownBytes: [UInt8]? = nil, fileName: String = "arch-agent",
    category: String? = nil
  ) -> Reading<AgentLoader.LoadedAgent> {
    AgentLoader.load(
      AgentDocuments(
        config: tomlBytes.map { SourceDocument(bytes: $0, path: "a.toml") },
        prompt: markdownBytes.map { SourceDocument(bytes: $0, path: "a.md") },
        fileName: fileName, category: category, origin: "./agents"))
  }

  /// A minimal TOML file with additional lines.
  static func toml(_ lines: String = "") -> String {
    """
    [agent]
    id = "arch-agent"
    name = "Architecture Agent"
    description = "Designs systems."
    prompt_path = "prompts/arch-agent.md"

    """ + lines + "\n"
  }

  /// A Markdown file with these lines as its front matter.
  static func markdown(_ lines: String, body: String = "You design systems.\n") -> String {
    "---\n\(lines)\n---\n\(body)"
  }

  /// Both files, the TOML file with additional lines.
  static func both(_ toml: String, _ frontMatter: String) throws -> Agent {
    try load(toml: self.toml(toml), markdown: markdown(frontMatter)).get().agent
  }

  /// One Markdown file whose front matter has these lines below its name.
  static func alone(_ lines: String) -> Reading<AgentLoader.LoadedAgent> {
    load(markdown: markdown("name: arch-agent\ndescription: Designs systems.\n" + lines))
  }
}

extension Reading {
  /// Whether a warning with this text points at this location.
  func warns(_ words: String, at place: String? = nil) -> Bool {
    warnings.contains { warning in
      warning.message.contains(words)
        && (place == nil
          || warning.location.map { "\($0.file):\($0.line):\($0.column)" } == place)
    }
  }

  func fails(_ words: String, at place: String? = nil) -> Bool {
    failures.contains { failure in
      (failure.message + failure.suggestion).contains(words)
        && (place == nil
          || failure.location.map { "\($0.file):\($0.line):\($0.column)" } == place)
    }
  }
}
