package import RasaCore

/// A JSON Schema, as far as people use it to say what an answer must look like.
///
/// Understood: `type` (one or several), `nullable`, `properties`, `required`,
/// `additionalProperties`, `items`, `enum`, `const`, the bounds of numbers, texts and arrays,
/// `anyOf`, `oneOf`, `allOf`, and `$ref` inside the document. Lengths count Unicode scalars. Other
/// keywords that would restrict the answer are not checked, and `warnings` says so.
package struct Schema: Sendable {
  /// The schema as it was written.
  package let source: Value
  package let warnings: [String]
  /// Subschemas refer to each other by index; the first is the whole.
  let nodes: [Node]
}

extension Schema {
  struct Node: Sendable {
    enum Additional: Sendable {
      case allowed, refused
      case checked(Int)
    }

    /// Nil allows every type.
    var types: [ValueType]?
    var isNever = false
    /// Null is right, whatever else is asked for.
    var isNullable = false
    var enumeration: [Value]?
    var properties: [(name: String, node: Int)] = []
    var required: [String] = []
    var additional = Additional.allowed
    var items: Int?
    var minimum: Value?
    var maximum: Value?
    var exclusiveMinimum: Value?
    var exclusiveMaximum: Value?
    var lengths: ClosedRange<Int>?
    var counts: ClosedRange<Int>?
    var reference: Int?
    var allOf: [Int] = []
    var anyOf: [Int] = []
    var oneOf: [Int] = []
  }

  enum ValueType: String, Sendable, CaseIterable {
    case null, boolean, integer, number, string, array, object

    func contains(_ value: Value) -> Bool {
      switch (self, value) {
      case (.null, .null), (.boolean, .bool), (.integer, .int), (.number, .int),
        (.number, .double), (.string, .string), (.array, .array), (.object, .object):
        true
      case (.integer, .double): value.int != nil
      default: false
      }
    }
  }
}
