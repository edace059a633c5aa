/// A moment in wall-clock time, in milliseconds since 1970 in UTC.
package struct Timestamp: Sendable, Hashable, Comparable {
  package var milliseconds: Int64
  package init(milliseconds: Int64) { self.milliseconds = milliseconds }
  package static func < (left: Timestamp, right: Timestamp) -> Bool {
    left.milliseconds < right.milliseconds
  }
}
