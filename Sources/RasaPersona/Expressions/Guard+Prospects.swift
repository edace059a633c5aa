package import RasaCore

/// The ways in which a condition can turn out while a part of what it reads is not known yet.
private struct Prospects: OptionSet {
  let rawValue: UInt8
  static let isTrue = Prospects(rawValue: 1)
  static let isFalse = Prospects(rawValue: 2)
  /// A type error, which makes the whole guard false wherever in it that happens.
  static let fails = Prospects(rawValue: 4)
  static let open: Prospects = [.isTrue, .isFalse]

  init(rawValue: UInt8) { self.rawValue = rawValue }
  init(_ truth: Bool) { self = truth ? .isTrue : .isFalse }
}

extension Guard {
  /// Whether the condition holds, as far as that is decided already: nil where it depends on a value that is not known.
  ///
  /// - Parameter read: nil for what is not known.
  package func decided(_ read: (StatePath) -> Value?) -> Bool? {
    let prospects = root.prospects(read)
    if !prospects.contains(.isTrue) { return false }
    return prospects == .isTrue ? true : nil
  }
}

extension Expression {
  fileprivate func prospects(_ read: (StatePath) -> Value?) -> Prospects {
    switch self {
    case .binary(.and, let left, let right, _):
      let first = left.prospects(read)
      guard first.contains(.isTrue) else { return first }
      return first.subtracting(.isTrue).union(right.prospects(read))
    case .binary(.or, let left, let right, _):
      let first = left.prospects(read)
      guard first.contains(.isFalse) else { return first }
      return first.subtracting(.isFalse).union(right.prospects(read))
    case .not(let inner):
      let inner = inner.prospects(read)
      var turned = inner.subtracting(.open)
      if inner.contains(.isTrue) { turned.insert(.isFalse) }
      if inner.contains(.isFalse) { turned.insert(.isTrue) }
      return turned
    case .path(let path): return read(path).map { Prospects($0.isTrue) } ?? .open
    case .literal, .list, .negative, .binary:
      guard isKnown(read) else { return [.open, .fails] }
      do {
        return Prospects(try value { read($0) ?? .null }.isTrue)
      } catch {
        return .fails
      }
    }
  }

  private func isKnown(_ read: (StatePath) -> Value?) -> Bool {
    switch self {
    case .literal: true
    case .path(let path): read(path) != nil
    case .list(let elements): elements.allSatisfy { $0.isKnown(read) }
    case .not(let inner), .negative(let inner, _): inner.isKnown(read)
    case .binary(_, let left, let right, _): left.isKnown(read) && right.isKnown(read)
    }
  }
}
