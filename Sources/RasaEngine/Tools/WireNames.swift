import RasaCore

/// What models call tools by: letters, digits, `_` and `-`, at most 64, beginning with a letter, each once in a
/// request.
struct WireNames: Sendable {
  private static let longest = 64
  private var names: [String: String] = [:]
  private var tools: [String: String] = [:]

  /// - Parameter taken: names that no tool gets.
  init(_ tools: [String], taken: [String] = []) {
    for name in taken { self.tools[name] = name }
    for tool in tools { add(tool) }
  }

  private mutating func add(_ tool: String) {
    guard names[tool] == nil else { return }
    let plain = Self.plain(tool)
    var name = String(decoding: plain.utf8.prefix(Self.longest), as: UTF8.self)
    var count = 1
    while tools[name] != nil || (count == 1 && plain.utf8.count > Self.longest) {
      count += 1
      // The end of long names tells more than a number does, but need not tell them apart.
      let end = "_\(count)"
      name =
        String(decoding: plain.utf8.prefix(Self.longest - end.utf8.count), as: UTF8.self) + end
    }
    names[tool] = name
    tools[name] = tool
  }

  /// `mcp:time/convert_time` is `time_convert_time`, `agent:critic` is `agent_critic`.
  private static func plain(_ tool: String) -> String {
    let prefix = "mcp:"
    let text = tool.hasPrefix(prefix) ? String(tool.dropFirst(prefix.count)) : tool
    var bytes = text.utf8.map { byte -> UInt8 in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
        byte
      default: UInt8(ascii: "_")
      }
    }
    let isLetter = bytes.first.map { ($0 | 0x20) >= 0x61 && ($0 | 0x20) <= 0x7A } ?? false
    if !isLetter { bytes = Array("tool_".utf8) + bytes }
    return String(decoding: bytes, as: UTF8.self)
  }

  func name(of tool: String) -> String { names[tool] ?? Self.plain(tool) }

  func tool(named name: String) -> String? { tools[name] }
}
