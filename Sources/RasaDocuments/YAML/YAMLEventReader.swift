import CYAML

/// What libyaml saw next.
struct YAMLEvent {
  enum Kind {
    case streamStart, streamEnd, documentStart, documentEnd, sequenceEnd, mappingEnd
    case alias(String)
    case scalar(text: String, isPlain: Bool)
    case sequenceStart
    case mappingStart
  }

  var kind: Kind
  var anchor: String?
  var tag: String?
  /// The number of the scalar at which it begins.
  var start: Int
  /// That of the one behind it.
  var end: Int
}

/// What libyaml did not like, in its words.
struct YAMLProblem: Error {
  var problem: String
  /// The number of the scalar where it was noticed; nil when only the byte is known.
  var scalar: Int?
  var byte: Int
  /// What was being read and where that began.
  var context: String
  var contextScalar: Int
}

/// A libyaml parser over bytes that it keeps a copy of.
@safe struct YAMLEventReader: ~Copyable {
  private let parser: UnsafeMutablePointer<yaml_parser_t>
  private let input: UnsafeMutableBufferPointer<UInt8>

  init(_ bytes: ArraySlice<UInt8>) throws(YAMLProblem) {
    let parser = UnsafeMutablePointer<yaml_parser_t>.allocate(capacity: 1)
    guard unsafe yaml_parser_initialize(parser) == 1 else {
      unsafe parser.deallocate()
      throw YAMLProblem(
        problem: "out of memory", scalar: 0, byte: 0, context: "", contextScalar: 0)
    }
    let input = UnsafeMutableBufferPointer<UInt8>.allocate(capacity: bytes.count)
    _ = unsafe input.initialize(from: bytes)
    unsafe yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
    unsafe yaml_parser_set_input_string(parser, input.baseAddress, input.count)
    unsafe self.parser = parser
    unsafe self.input = input
  }

  deinit {
    unsafe yaml_parser_delete(parser)
    unsafe parser.deallocate()
    unsafe input.deallocate()
  }

  mutating func next() throws(YAMLProblem) -> YAMLEvent {
    var event = unsafe yaml_event_t()
    guard unsafe yaml_parser_parse(parser, &event) == 1 else { throw problem() }
    defer { unsafe yaml_event_delete(&event) }
    let start = unsafe event.start_mark.index
    let end = unsafe event.end_mark.index
    let data = unsafe event.data
    func made(
      _ kind: YAMLEvent.Kind, anchor: UnsafeMutablePointer<UInt8>? = nil,
      tag: UnsafeMutablePointer<UInt8>? = nil
    ) -> YAMLEvent {
      unsafe YAMLEvent(kind: kind, anchor: text(anchor), tag: text(tag), start: start, end: end)
    }
    switch unsafe event.type {
    case YAML_STREAM_START_EVENT: return made(.streamStart)
    case YAML_DOCUMENT_START_EVENT: return made(.documentStart)
    case YAML_DOCUMENT_END_EVENT: return made(.documentEnd)
    case YAML_SEQUENCE_END_EVENT: return made(.sequenceEnd)
    case YAML_MAPPING_END_EVENT: return made(.mappingEnd)
    case YAML_ALIAS_EVENT: return made(.alias(unsafe text(data.alias.anchor) ?? ""))
    case YAML_SEQUENCE_START_EVENT:
      let sequence = unsafe data.sequence_start
      return unsafe made(.sequenceStart, anchor: sequence.anchor, tag: sequence.tag)
    case YAML_MAPPING_START_EVENT:
      let mapping = unsafe data.mapping_start
      return unsafe made(.mappingStart, anchor: mapping.anchor, tag: mapping.tag)
    case YAML_SCALAR_EVENT:
      let scalar = unsafe data.scalar
      let bytes = unsafe UnsafeBufferPointer(start: scalar.value, count: scalar.length)
      let value = unsafe String(decoding: bytes, as: UTF8.self)
      let isPlain = unsafe scalar.style == YAML_PLAIN_SCALAR_STYLE
      return unsafe made(
        .scalar(text: value, isPlain: isPlain), anchor: scalar.anchor, tag: scalar.tag)
    default: return made(.streamEnd)
    }
  }

  private func text(_ pointer: UnsafeMutablePointer<UInt8>?) -> String? {
    guard let pointer = unsafe pointer else { return nil }
    return unsafe String(cString: pointer)
  }

  private func problem() -> YAMLProblem {
    let state = unsafe parser.pointee
    func words(_ pointer: UnsafePointer<CChar>?) -> String {
      guard let pointer = unsafe pointer else { return "" }
      return unsafe String(cString: pointer)
    }
    let error = unsafe state.error
    let isInScanner = error == YAML_SCANNER_ERROR || error == YAML_PARSER_ERROR
    return unsafe YAMLProblem(
      problem: state.problem == nil ? "out of memory" : words(state.problem),
      scalar: isInScanner ? state.problem_mark.index : nil, byte: state.problem_offset,
      context: words(state.context), contextScalar: state.context_mark.index)
  }
}
