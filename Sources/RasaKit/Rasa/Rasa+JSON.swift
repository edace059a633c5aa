package import RasaCore
import RasaDocuments

extension Rasa {
  /// A JSON value: what runs read and write where it is no plain text.
  ///
  /// Members keep their order, and integers are exact up to 64 bits.
  public struct JSON: Sendable, Hashable, CustomStringConvertible {
    /// What the targets below know it as.
    package let value: RasaCore.Value

    init(_ value: RasaCore.Value) { self.value = value }

    /// JSON's `null`.
    public static let null = JSON(RasaCore.Value.null)

    /// Reads JSON text.
    ///
    /// - Throws: A `RasaError` of code `usage` that says what is wrong, with line and column.
    public init(parsing text: String) throws(RasaError) {
      value = try convertingErrors { () throws(Failure) in
        try JSONParsing.value(of: text)
      }
    }

    /// An object with these members, in this order.
    public init(members: [(name: String, value: JSON)]) {
      value = .object(ValueObject(members.map { ($0.name, $0.value.value) }))
    }

    /// Whether it is `null`, which is also what is not there.
    public var isNull: Bool { value.isNull }
    /// The truth value; nil for anything else.
    public var bool: Bool? { value.bool }
    /// The whole number; nil for anything else.
    public var int: Int? { value.int.map { Int(clamping: $0) } }
    /// The number; nil for anything else.
    public var double: Double? { value.double }
    /// The text; nil for anything else.
    public var string: String? { value.string }
    /// The elements; nil for anything but an array.
    public var array: [JSON]? { value.array?.map { JSON($0) } }
    /// The members in their order; nil for anything but an object.
    public var members: [(name: String, value: JSON)]? {
      value.object?.map { ($0.key, JSON($0.value)) }
    }

    /// A member of an object; `null` where there is none of that name.
    public subscript(name: String) -> JSON { JSON(value[name]) }

    /// The value as compact JSON text.
    public var description: String { value.json(.compact) }
    /// The value as a prompt shows it: a text as it stands, anything else as JSON.
    public var text: String { value.promptText }
  }
}

/// Keeps the name `JSON` of the parser apart from the public type.
enum JSONParsing {
  static func value(of text: String) throws(Failure) -> Value {
    do throws(Failure) {
      return try JSON.parse(Array(text.utf8), named: "the text")
    } catch {
      var failure = error
      failure.kind = .usage
      throw failure
    }
  }
}

extension Rasa.JSON: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral,
  ExpressibleByFloatLiteral, ExpressibleByBooleanLiteral, ExpressibleByArrayLiteral,
  ExpressibleByDictionaryLiteral, ExpressibleByNilLiteral
{
  /// A text.
  public init(stringLiteral value: String) { self.init(RasaCore.Value.string(value)) }
  /// A text.
  public init(_ text: String) { self.init(RasaCore.Value.string(text)) }
  /// The key of an object's member.
  public typealias Key = String
  /// The value of an object's member.
  public typealias Value = Rasa.JSON
  /// A whole number.
  public init(integerLiteral value: Int64) { self.init(RasaCore.Value.int(value)) }
  /// A number.
  public init(floatLiteral value: Double) { self.init(RasaCore.Value.double(value)) }
  /// A truth value.
  public init(booleanLiteral value: Bool) { self.init(RasaCore.Value.bool(value)) }
  /// An array.
  public init(arrayLiteral elements: Rasa.JSON...) {
    self.init(RasaCore.Value.array(elements.map(\.value)))
  }
  /// An object, with its members in this order.
  public init(dictionaryLiteral elements: (String, Rasa.JSON)...) {
    self.init(RasaCore.Value.object(ValueObject(elements.map { ($0.0, $0.1.value) })))
  }
  /// `null`.
  public init(nilLiteral: ()) { self = .null }
}

extension Rasa.JSON: Codable {
  private struct MemberKey: CodingKey {
    var stringValue: String
    var intValue: Int? { nil }
    init(_ name: String) { stringValue = name }
    init?(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }

  /// Reads any value.
  public init(from decoder: any Decoder) throws {
    if let object = try? decoder.container(keyedBy: MemberKey.self) {
      self.init(
        members: try object.allKeys.map { key in
          (key.stringValue, try object.decode(Rasa.JSON.self, forKey: key))
        })
      return
    }
    if var elements = try? decoder.unkeyedContainer() {
      var values: [RasaCore.Value] = []
      while !elements.isAtEnd { values.append(try elements.decode(Rasa.JSON.self).value) }
      self.init(RasaCore.Value.array(values))
      return
    }
    let single = try decoder.singleValueContainer()
    if single.decodeNil() {
      self = .null
    } else if let flag = try? single.decode(Bool.self) {
      self.init(RasaCore.Value.bool(flag))
    } else if let number = try? single.decode(Int64.self) {
      self.init(RasaCore.Value.int(number))
    } else if let number = try? single.decode(Double.self) {
      self.init(RasaCore.Value.double(number))
    } else {
      self.init(RasaCore.Value.string(try single.decode(String.self)))
    }
  }

  /// Writes the value as what it is.
  public func encode(to encoder: any Encoder) throws {
    func single(_ value: some Encodable) throws {
      var container = encoder.singleValueContainer()
      try container.encode(value)
    }
    switch value {
    case .object(let object):
      var container = encoder.container(keyedBy: MemberKey.self)
      for (name, value) in object {
        try container.encode(Rasa.JSON(value), forKey: MemberKey(name))
      }
    case .array(let elements):
      var container = encoder.unkeyedContainer()
      for element in elements { try container.encode(Rasa.JSON(element)) }
    case .null:
      var container = encoder.singleValueContainer()
      try container.encodeNil()
    case .bool(let flag): try single(flag)
    case .int(let number): try single(number)
    case .double(let number): try single(number)
    case .string(let text): try single(text)
    }
  }
}
