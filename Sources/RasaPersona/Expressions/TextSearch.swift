extension String {
  /// Whether the text contains the part, ignoring the case of ASCII letters. Linear for any input
  /// (a rolling hash finds candidates), because both may come from outside.
  package func containsIgnoringCase(_ part: String) -> Bool {
    let text = utf8.span
    let piece = part.utf8.span
    guard piece.count <= text.count else { return false }
    guard piece.count > 0 else { return true }
    let base: UInt64 = 1_099_511_628_211
    var wanted: UInt64 = 0
    var current: UInt64 = 0
    var highest: UInt64 = 1
    for index in piece.indices {
      wanted = wanted &* base &+ UInt64(lowered(piece[index]))
      current = current &* base &+ UInt64(lowered(text[index]))
      if index > 0 { highest = highest &* base }
    }
    var start = 0
    while true {
      if current == wanted, isEqual(piece, in: text, at: start) { return true }
      let next = start + piece.count
      guard next < text.count else { return false }
      current = current &- UInt64(lowered(text[start])) &* highest
      current = current &* base &+ UInt64(lowered(text[next]))
      start += 1
    }
  }
}

private func lowered(_ byte: UInt8) -> UInt8 {
  byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z") ? byte | 0x20 : byte
}

private func isEqual(_ piece: Span<UInt8>, in text: Span<UInt8>, at start: Int) -> Bool {
  for index in piece.indices where lowered(text[start + index]) != lowered(piece[index]) {
    return false
  }
  return true
}
