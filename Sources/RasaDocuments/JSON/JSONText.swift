/// The bytes of a document with NULs behind them, which no rule of the grammar accepts: whoever
/// scans forward from inside stops at the end without asking where it is.
@safe final class JSONText {
  static let padding = 8
  let count: Int
  private let start: UnsafeMutablePointer<UInt8>

  init(_ bytes: some Collection<UInt8>) {
    count = bytes.count
    unsafe start = .allocate(capacity: count + Self.padding)
    let buffer = unsafe UnsafeMutableBufferPointer(start: start, count: count)
    _ = unsafe buffer.initialize(from: bytes)
    unsafe (start + count).initialize(repeating: 0, count: Self.padding)
  }

  deinit { unsafe start.deallocate() }

  /// The byte at an offset up to the end of the padding.
  @inline(__always) subscript(offset: Int) -> UInt8 {
    assert((0..<(count + Self.padding)).contains(offset))
    return unsafe start[offset]
  }

  /// A part of the document as text; nil when it is not UTF-8.
  func text(in range: Range<Int>, isASCII: Bool) -> String? {
    let bytes = unsafe UnsafeBufferPointer(start: start + range.lowerBound, count: range.count)
    if isASCII { return unsafe String(decoding: bytes, as: UTF8.self) }
    let span = unsafe Span(_unsafeElements: bytes)
    guard let valid = try? UTF8Span(validating: span) else { return nil }
    return String(copying: valid)
  }

  var slice: ArraySlice<UInt8> {
    unsafe Array(UnsafeBufferPointer(start: start, count: count))[...]
  }
}
