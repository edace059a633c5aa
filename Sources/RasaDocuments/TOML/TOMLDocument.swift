import CTOML

/// One value as toml++ gives it.
struct TOMLValue {
  enum Kind {
    case table, array
    case string(String)
    case integer(Int64)
    case number(Double)
    case boolean(Bool)
    case time
  }

  /// Columns count scalars; 0 where the place is not known.
  struct Place {
    var line: Int
    var column: Int

    fileprivate init(_ place: rasa_toml_place) {
      line = Int(place.line)
      column = Int(place.column)
    }
  }

  var kind: Kind
  /// How many values are directly below.
  var children: Int
  var start: Place
  var end: Place
  /// Of a table's member.
  var key: String
  var keyStart: Place
}

/// A file that toml++ has read: its values in the order of the file, each followed by what is below
/// it, or what is wrong with it.
@safe struct TOMLDocument: ~Copyable {
  private let document: OpaquePointer
  private let nodes: UnsafePointer<rasa_toml_node>?
  let count: Int

  init(_ text: ArraySlice<UInt8>) {
    unsafe document = text.withUnsafeBytes { bytes in
      unsafe rasa_toml_parse(bytes.bindMemory(to: CChar.self).baseAddress, bytes.count)
    }
    var count = 0
    unsafe nodes = rasa_toml_nodes(document, &count)
    self.count = count
  }

  deinit { unsafe rasa_toml_free(document) }

  /// Nil for a file that was read.
  var problem: TOMLProblem? {
    guard count == 0 else { return nil }
    var place = rasa_toml_place()
    let words = unsafe rasa_toml_problem(document, &place)
    return unsafe TOMLProblem(description: Self.text(words), place: TOMLValue.Place(place))
  }

  subscript(index: Int) -> TOMLValue? {
    guard let nodes = unsafe nodes, (0..<count).contains(index) else { return nil }
    let node = unsafe nodes[index]
    let kind: TOMLValue.Kind =
      switch unsafe node.kind {
      case RASA_TOML_TABLE: .table
      case RASA_TOML_ARRAY: .array
      case RASA_TOML_STRING: .string(unsafe Self.text(node.text))
      case RASA_TOML_INTEGER: .integer(unsafe node.integer)
      case RASA_TOML_FLOAT: .number(unsafe node.number)
      case RASA_TOML_BOOLEAN: .boolean(unsafe node.boolean)
      default: .time
      }
    return unsafe TOMLValue(
      kind: kind, children: node.children, start: TOMLValue.Place(node.start),
      end: TOMLValue.Place(node.end), key: Self.text(node.key),
      keyStart: TOMLValue.Place(node.key_start))
  }

  private static func text(_ text: rasa_toml_text) -> String {
    guard let bytes = unsafe text.bytes else { return "" }
    let buffer = unsafe UnsafeRawBufferPointer(start: bytes, count: text.count)
    return unsafe String(decoding: buffer, as: UTF8.self)
  }
}
