/// Text processed byte by byte.
///
/// Swift compares and splits by characters: `=` with a combining mark behind it is another character
/// than `=`, CR LF is one character, and two spellings of `é` are equal. Command lines,
/// files and file names are bytes.
extension StringProtocol {
  /// The parts between these bytes.
  package func split(
    atByte separator: Unicode.Scalar, maxSplits: Int = .max, omittingEmpty: Bool = false
  ) -> [Substring] {
    let text = Substring(self)
    return text.utf8.split(
      separator: UInt8(ascii: separator), maxSplits: maxSplits,
      omittingEmptySubsequences: omittingEmpty
    ).map { Substring($0) }
  }

  /// The lines, without their LF; a CR stays where it is.
  package var byteLines: [Substring] { split(atByte: "\n") }

  package func firstIndex(ofByte byte: Unicode.Scalar) -> Index? {
    utf8.firstIndex(of: UInt8(ascii: byte))
  }

  package func hasBytePrefix(_ prefix: some StringProtocol) -> Bool {
    utf8.starts(with: prefix.utf8)
  }

  package func hasByteSuffix(_ suffix: some StringProtocol) -> Bool {
    utf8.suffix(suffix.utf8.count).elementsEqual(suffix.utf8)
  }

  package func hasSameBytes(as other: some StringProtocol) -> Bool {
    utf8.elementsEqual(other.utf8)
  }

  package func hasByte(_ byte: Unicode.Scalar) -> Bool { utf8.contains(UInt8(ascii: byte)) }

  /// Without the LF that ends it.
  package var withoutFinalLineFeed: Substring {
    let text = Substring(self)
    return text.utf8.last == UInt8(ascii: "\n") ? Substring(text.utf8.dropLast()) : text
  }

  /// Without white space at either end, scalar by scalar: a combining mark after a space belongs to the
  /// text.
  package var trimmedByScalars: SubSequence {
    guard
      let first = unicodeScalars.firstIndex(where: { !$0.properties.isWhitespace }),
      let last = unicodeScalars.lastIndex(where: { !$0.properties.isWhitespace })
    else { return self[endIndex...] }
    return self[first...][..<unicodeScalars.index(after: last)]
  }
}

/// The same for the usual case: called from other modules, the generic ones above go through witness tables
/// for every byte, which took tens of milliseconds for ten thousand paths.
extension String {
  package func hasBytePrefix(_ prefix: String) -> Bool {
    prefix.utf8.count <= utf8.count && utf8.starts(with: prefix.utf8)
  }

  package func hasByteSuffix(_ suffix: String) -> Bool {
    suffix.utf8.count <= utf8.count && utf8.suffix(suffix.utf8.count).elementsEqual(suffix.utf8)
  }

  package func hasSameBytes(as other: String) -> Bool {
    utf8.count == other.utf8.count && utf8.elementsEqual(other.utf8)
  }

  package func hasByte(_ byte: Unicode.Scalar) -> Bool { utf8.contains(UInt8(ascii: byte)) }
}

// The same functions of the standard library compare characters, and bring its regular expressions along, which are a
// megabyte of the program.
extension StringProtocol {
  /// Where these bytes first are; nil where they are not, and for no bytes at all.
  package func firstRange(
    ofBytes part: some StringProtocol, from start: Index? = nil
  ) -> Range<Index>? {
    let wanted = Array(part.utf8)
    guard let first = wanted.first else { return nil }
    var place = start ?? startIndex
    while let found = utf8[place...].firstIndex(of: first) {
      if utf8[found...].starts(with: wanted) {
        return found..<utf8.index(found, offsetBy: wanted.count)
      }
      place = utf8.index(after: found)
    }
    return nil
  }

  /// Where these bytes last are.
  package func lastRange(ofBytes part: some StringProtocol) -> Range<Index>? {
    var last = firstRange(ofBytes: part)
    while let range = last, let next = firstRange(ofBytes: part, from: range.upperBound) {
      last = next
    }
    return last
  }

  /// Whether these bytes are in the text; no bytes at all are in every text.
  package func hasBytes(_ part: some StringProtocol) -> Bool {
    part.isEmpty || firstRange(ofBytes: part) != nil
  }

  package func replacing(bytes part: some StringProtocol, with other: some StringProtocol)
    -> String
  {
    var result = ""
    var place = startIndex
    while let range = firstRange(ofBytes: part, from: place) {
      result += self[place..<range.lowerBound]
      result += other
      place = range.upperBound
    }
    return place == startIndex ? String(self) : result + self[place...]
  }
}
