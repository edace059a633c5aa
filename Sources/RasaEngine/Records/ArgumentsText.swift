package import RasaCore

extension Value {
  /// The arguments of a tool as a person reads them: each under its name, texts of several lines as lines.
  ///
  /// Every line of a text has a bar before it, so that none can pass for another argument. Other texts are in
  /// quotes, so that none can pass for a number or for nothing.
  package var argumentsText: String {
    guard let object else { return argumentLines.joined(separator: "\n") }
    return object.isEmpty ? "no arguments" : Self.lines(of: object).joined(separator: "\n")
  }

  private static func lines(of object: ValueObject) -> [String] {
    object.flatMap { name, value -> [String] in
      let isPlain =
        !name.isEmpty
        && name.utf8.allSatisfy {
          ($0 >= 0x30 && $0 <= 0x39) || ($0 | 0x20 >= 0x61 && $0 | 0x20 <= 0x7A)
            || $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: ".")
        }
      let label = isPlain ? name : Value.string(name).json(.compact, escaping: .onlyNeeded)
      return value.labelled(label + ":")
    }
  }

  private func labelled(_ label: String) -> [String] {
    let lines = argumentLines
    if lines.count == 1, !isNested { return ["\(label) \(lines[0])"] }
    let size =
      if let string, isText { " \(string.utf8.count) bytes in \(lines.count) lines" } else { "" }
    return [label + size] + lines.map { "  " + $0 }
  }

  private var isText: Bool { string?.utf8.contains(UInt8(ascii: "\n")) == true }

  private var isNested: Bool {
    switch self {
    case .object(let object): !object.isEmpty
    case .array(let list): !list.isEmpty
    default: isText
    }
  }

  private var argumentLines: [String] {
    switch self {
    case .object(let object) where !object.isEmpty: return Self.lines(of: object)
    case .array(let list) where !list.isEmpty: return list.flatMap { $0.labelled("-") }
    case .string(let text) where isText:
      return text.utf8.split(separator: 0x0A, omittingEmptySubsequences: false)
        .map { "| " + String(decoding: Array($0), as: UTF8.self) }
    default: return [json(.compact, escaping: .onlyNeeded)]
    }
  }
}
