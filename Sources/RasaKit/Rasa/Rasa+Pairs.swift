import RasaCore

extension Rasa {
  /// Values by name, in the order in which they were set: a prompt shows them in this order.
  ///
  /// ```swift
  /// options.preferences = ["language": "German"]
  /// options.preferences["tone"] = "brief"
  /// ```
  public struct Pairs<Value: Sendable & Hashable>: Sendable, Hashable,
    ExpressibleByDictionaryLiteral
  {
    private var values: [String: Value] = [:]
    /// The names in their order.
    public private(set) var names: [String] = []

    /// No values.
    public init() {}

    /// The values of a dictionary, sorted by name.
    public init(_ dictionary: [String: Value]) {
      values = dictionary
      names = dictionary.keys.sorted()
    }

    /// The values in the order in which they are written.
    public init(dictionaryLiteral elements: (String, Value)...) {
      for (name, value) in elements { self[name] = value }
    }

    /// Whether there are none.
    public var isEmpty: Bool { names.isEmpty }

    /// The value of that name; setting nil takes it away.
    public subscript(name: String) -> Value? {
      get { values[name] }
      set {
        switch (values[name] != nil, newValue) {
        case (false, let value?):
          names.append(name)
          values[name] = value
        case (true, let value?): values[name] = value
        case (true, nil):
          names.removeAll { $0 == name }
          values[name] = nil
        case (false, nil): break
        }
      }
    }
  }
}
