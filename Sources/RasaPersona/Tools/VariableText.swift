package import RasaCore

/// Text in which `${NAME}` stands for a variable of the environment, and `${NAME:-default}` for one that may be missing,
/// as MCP clients write it; `${env:NAME}` is the same. Inserted text is not looked through again.
package enum VariableText {
  private enum Part {
    case text(ArraySlice<UInt8>)
    case variable(name: String, standard: String?)
  }

  private static func parts(of text: String) -> [Part] {
    let bytes = Array(text.utf8)
    var parts: [Part] = []
    var start = 0
    var index = 0
    while index < bytes.count {
      guard bytes[index] == UInt8(ascii: "$"), index + 1 < bytes.count,
        bytes[index + 1] == UInt8(ascii: "{"),
        let end = bytes[(index + 2)...].firstIndex(of: UInt8(ascii: "}"))
      else {
        index += 1
        continue
      }
      var inner = bytes[(index + 2)..<end]
      if inner.starts(with: "env:".utf8) { inner = inner.dropFirst(4) }
      let nameEnd = inner.firstIndex { !isNameByte($0) } ?? inner.endIndex
      let name = inner[..<nameEnd]
      let rest = inner[nameEnd...]
      let hasDefault = rest.starts(with: Array(":-".utf8))
      guard isName(name), rest.isEmpty || hasDefault else {
        index += 1
        continue
      }
      if start < index { parts.append(.text(bytes[start..<index])) }
      parts.append(
        .variable(
          name: String(decoding: name, as: UTF8.self),
          standard: hasDefault ? String(decoding: rest.dropFirst(2), as: UTF8.self) : nil))
      index = end + 1
      start = index
    }
    if start < bytes.count { parts.append(.text(bytes[start...])) }
    return parts
  }

  private static func isNameByte(_ byte: UInt8) -> Bool {
    (byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9"))
      || (byte | 0x20 >= UInt8(ascii: "a") && byte | 0x20 <= UInt8(ascii: "z"))
      || byte == UInt8(ascii: "_")
  }

  private static func isName(_ bytes: ArraySlice<UInt8>) -> Bool {
    guard let first = bytes.first else { return false }
    return !(first >= UInt8(ascii: "0") && first <= UInt8(ascii: "9"))
  }

  package static func isVariableName(_ text: String) -> Bool {
    let bytes = Array(text.utf8)[...]
    return isName(bytes) && bytes.allSatisfy(isNameByte)
  }

  /// The variables that a text names.
  package static func names(in text: String) -> [String] {
    parts(of: text).compactMap { if case .variable(let name, _) = $0 { name } else { nil } }
  }

  /// - Throws: a `Failure` for a variable that is not set, or is empty, and has no default.
  package static func expanded(
    _ text: String, _ variables: [String: String]
  ) throws(Failure) -> String {
    guard text.utf8.contains(UInt8(ascii: "$")) else { return text }
    var result: [UInt8] = []
    for part in parts(of: text) {
      switch part {
      case .text(let bytes): result += bytes
      case .variable(let name, let standard):
        if let value = variables[name], !value.isEmpty {
          result += value.utf8
        } else if let standard {
          result += standard.utf8
        } else {
          throw Failure(
            .configuration,
            "the variable \(name) is \(variables[name] == nil ? "not set" : "empty")",
            suggestion: "set \(name), or write `${\(name):-default}`")
        }
      }
    }
    return String(decoding: result, as: UTF8.self)
  }
}
