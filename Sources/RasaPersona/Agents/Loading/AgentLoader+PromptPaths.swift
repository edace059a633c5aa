package import RasaCore
import RasaDocuments

extension AgentLoader {
  /// The prompt path in a TOML file, and the fallback path (`mirror_path`).
  ///
  /// In most files it is on a line of its own, which is found without parsing the rest; any other
  /// form is parsed.
  package static func promptPaths(in config: SourceDocument) throws(Failure) -> [String] {
    if let paths = PromptPathScan(config.bytes).paths { return paths }
    let root = try TOML.parse(config.bytes, file: config.path)
    let agent = root["agent"] ?? root
    return ["prompt_path", "mirror_path"].compactMap { agent[$0]?.value.string?.trimmed.nonEmpty }
  }
}

/// Finds the lines of `[agent]` that name the prompt, in files where lines can be read one by one.
private struct PromptPathScan {
  /// Nil if the file must be parsed.
  var paths: [String]?

  init(_ bytes: [UInt8]) {
    var prompt: String?
    var mirror: String?
    var isInAgent = false
    for line in bytes.split(separator: UInt8(ascii: "\n")) {
      let text = line.drop { $0 == 0x20 || $0 == 0x09 }
      guard let first = text.first else { continue }
      if first == UInt8(ascii: "[") {
        isInAgent = text.starts(with: "[agent]".utf8)
      } else if first == UInt8(ascii: "p"), text.starts(with: "prompt_path".utf8) {
        guard isInAgent, let path = Self.value(text.dropFirst(11)) else { return }
        prompt = path
      } else if first == UInt8(ascii: "m"), text.starts(with: "mirror_path".utf8) {
        guard isInAgent, let path = Self.value(text.dropFirst(11)) else { return }
        mirror = path
      } else if Self.mayHideLines(text) {
        return
      }
    }
    if prompt != nil { paths = [prompt, mirror].compactMap(\.self) }
  }

  /// `= "path"` or `= 'path'` without escapes.
  private static func value(_ rest: ArraySlice<UInt8>) -> String? {
    var rest = rest.drop { $0 == 0x20 || $0 == 0x09 }
    guard rest.popFirst() == UInt8(ascii: "=") else { return nil }
    rest = rest.drop { $0 == 0x20 || $0 == 0x09 }
    guard let quote = rest.popFirst(), quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "'"),
      let end = rest.firstIndex(of: quote)
    else { return nil }
    let path = rest[..<end]
    let after = rest[(end + 1)...].drop { $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }
    guard !path.isEmpty, !path.contains(UInt8(ascii: "\\")),
      after.isEmpty || after.first == UInt8(ascii: "#")
    else { return nil }
    return String(validating: path, as: UTF8.self).flatMap { $0.trimmed.nonEmpty }
  }

  /// A multi-line text may contain lines that look like fields, and a mirror may be written in
  /// other ways.
  private static func mayHideLines(_ line: ArraySlice<UInt8>) -> Bool {
    var run = 0
    var previous: UInt8 = 0
    for byte in line {
      let isQuote = byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'")
      run = isQuote ? (byte == previous ? run + 1 : 1) : 0
      if run == 3 { return true }
      previous = byte
    }
    guard line.first != UInt8(ascii: "#") else { return false }
    return line.first == UInt8(ascii: "\"") || line.first == UInt8(ascii: "'")
  }
}
