/// Members in the order they were written. The order matters to a model (it answers
/// the fields of a schema in their order), and not in comparisons.
package struct ValueObject: Sendable {
  private struct Member {
    var key: String
    var value: Value
  }

  private var members: [Member] = []
  /// The index of each member; empty for the usual small object, which is faster to search.
  private var positions: [String: Int] = [:]
  private static let longestScan = 8

  package init() {}

  package init(_ pairs: some Sequence<(String, Value)>) {
    for (key, value) in pairs { self[key] = value }
  }

  package var count: Int { members.count }
  package var isEmpty: Bool { members.isEmpty }
  package var keys: [String] { members.map(\.key) }

  package subscript(key: String) -> Value? {
    get { position(of: key).map { members[$0].value } }
    set {
      switch (position(of: key), newValue) {
      case (let position?, let value?): members[position].value = value
      case (let position?, nil):
        members.remove(at: position)
        positions = [:]
        indexIfLarge()
      case (nil, let value?):
        members.append(Member(key: key, value: value))
        if positions.isEmpty { indexIfLarge() } else { note(key, at: members.count - 1) }
      case (nil, nil): break
      }
    }
  }

  /// Keys are compared by their bytes: two spellings of `é` are two keys, as they are to every other
  /// reader of the document. To Swift they are equal, so a match is compared again.
  private func position(of key: String) -> Int? {
    if !positions.isEmpty {
      guard let position = positions[key] else { return nil }
      if members[position].key.hasSameBytes(as: key) { return position }
    }
    return members.firstIndex { $0.key == key && $0.key.hasSameBytes(as: key) }
  }

  private mutating func indexIfLarge() {
    guard members.count > Self.longestScan else { return }
    for (position, member) in members.enumerated() { note(member.key, at: position) }
  }

  /// Of keys that are equal to Swift, the first is found here and the others by a scan.
  private mutating func note(_ key: String, at position: Int) {
    if positions[key] == nil { positions[key] = position }
  }
}

extension ValueObject: Sequence {
  package struct Iterator: IteratorProtocol {
    private var members: IndexingIterator<[Member]>
    fileprivate init(_ object: ValueObject) { members = object.members.makeIterator() }
    package mutating func next() -> (key: String, value: Value)? {
      members.next().map { ($0.key, $0.value) }
    }
  }

  package func makeIterator() -> Iterator { Iterator(self) }
  package var underestimatedCount: Int { members.count }
}

extension ValueObject: Hashable {
  package static func == (left: ValueObject, right: ValueObject) -> Bool {
    left.count == right.count && left.members.allSatisfy { right[$0.key] == $0.value }
  }

  package func hash(into hasher: inout Hasher) {
    var sum = 0
    for member in members {
      var one = Hasher()
      one.combine(member.key)
      one.combine(member.value)
      sum &+= one.finalize()
    }
    hasher.combine(sum)
  }
}

extension ValueObject: ExpressibleByDictionaryLiteral {
  package init(dictionaryLiteral elements: (String, Value)...) { self.init(elements) }
}
