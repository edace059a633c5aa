import RasaCore

/// How operators, agents and people name a tool: `mcp:time/convert_time`, all tools of a server as `mcp:time`, some
/// of them as `mcp:git/git_*`, `agent:security-reviewer`, or a plain name.
package enum ToolReference: Sendable, Hashable {
  /// Tools of a server; nil for all of them. `*` in the pattern stands for any part of a name.
  case server(String, tools: String?)
  case agent(String)
  /// A declared HTTP or program tool, a function of the program, or an operator.
  case named(String)

  package init(_ text: String) {
    if text.hasBytePrefix("mcp:") {
      let parts = text.dropFirst(4).split(atByte: "/", maxSplits: 1)
      self = .server(
        parts.first.map(String.init) ?? "", tools: parts.dropFirst().first.map(String.init))
    } else if text.hasBytePrefix("agent:") {
      self = .agent(String(text.dropFirst(6)))
    } else {
      self = .named(text)
    }
  }

  /// A tool in the notation of Claude Code: `mcp__time__convert_time`, or `mcp__time` for a whole server.
  package init?(claudeCode text: String) {
    guard text.hasBytePrefix("mcp__") else { return nil }
    let rest = Array(text.utf8.dropFirst(5))
    let score = UInt8(ascii: "_")
    let end = rest.indices.dropLast().first { $0 > 0 && rest[$0] == score && rest[$0 + 1] == score }
    let server = String(decoding: rest[..<(end ?? rest.count)], as: UTF8.self)
    let tool = end.map { String(decoding: rest[($0 + 2)...], as: UTF8.self) } ?? ""
    guard !server.isEmpty else { return nil }
    self = .server(server, tools: tool.isEmpty ? nil : tool)
  }

  package var text: String {
    switch self {
    case .server(let server, let tools): "mcp:\(server)" + (tools.map { "/\($0)" } ?? "")
    case .agent(let id): "agent:\(id)"
    case .named(let name): name
    }
  }

  /// Whether a tool of the server is one of those that are meant.
  package static func matches(_ pattern: String?, _ tool: String) -> Bool {
    guard let pattern else { return true }
    return AgentNarrowing.List([pattern], place: "").allows(tool)
  }
}
