import RasaCore

/// The form of texts in a file that people read and compare: several lines become a list.
enum ReadableText {
  static func value(_ text: String) -> Value {
    guard text.utf8.contains(0x0A) else { return .string(text) }
    return .array(lines(of: text).map { .string($0) })
  }

  static func lines(of text: String) -> [String] {
    text.utf8.split(separator: 0x0A, omittingEmptySubsequences: false).map { String($0) ?? "" }
  }

  // MARK: Texts inside of other values

  private static let textMark = "$text"
  private static let objectMark = "$object"

  /// A value whose texts are readable: one of several lines becomes `{"$text": […]}`.
  static func marked(_ value: Value) -> Value {
    switch value {
    case .string(let text):
      guard text.utf8.contains(0x0A) else { return value }
      return [textMark: self.value(text)]
    case .array(let elements): return .array(elements.map(marked))
    case .object(let object):
      let inner = Value.object(ValueObject(object.map { ($0.key, marked($0.value)) }))
      // Who really has a member of that name keeps it.
      let isMistakable = object.count == 1 && (isMark(object.keys[0]))
      return isMistakable ? [objectMark: inner] : inner
    default: return value
    }
  }

  /// The value that was marked.
  static func unmarked(_ value: Value) -> Value {
    switch value {
    case .array(let elements): return .array(elements.map(unmarked))
    case .object(let object):
      if object.count == 1 {
        let name = object.keys[0]
        if name == textMark, let text = text(value[name]) { return .string(text) }
        if name == objectMark, let inner = value[name].object { return members(inner) }
      }
      return members(object)
    default: return value
    }
  }

  private static func members(_ object: ValueObject) -> Value {
    .object(ValueObject(object.map { ($0.key, unmarked($0.value)) }))
  }

  private static func isMark(_ name: String) -> Bool { name == textMark || name == objectMark }

  /// A text as it stands, or as a list of its lines.
  static func text(_ value: Value) -> String? {
    if let text = value.string { return text }
    guard let lines = value.array else { return nil }
    var texts: [String] = []
    for line in lines {
      guard let text = line.string else { return nil }
      texts.append(text)
    }
    return texts.joined(separator: "\n")
  }
}
