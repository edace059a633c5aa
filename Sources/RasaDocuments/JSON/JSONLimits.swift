/// How much JSON is read before it is refused.
package struct JSONLimits: Sendable {
  /// Objects and arrays inside each other.
  package var depth: Int
  package var bytes: Int

  /// The depth is held at 500, which every thread's stack can take.
  package init(depth: Int = 64, bytes: Int = 16 << 20) {
    self.depth = min(depth, 500)
    self.bytes = bytes
  }
}
