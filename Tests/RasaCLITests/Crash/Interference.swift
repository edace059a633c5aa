import RasaTestKit

/// What is done to one process on the way.
enum Interference: Sendable, CustomStringConvertible {
  /// It writes the fault points that it reaches into a file.
  case trace(path: String)
  /// It dies at a fault point.
  case fault(FaultPlace)
  /// It is killed after that time.
  case time(Duration)
  /// It is killed when so many bytes have passed between it and the provider.
  case bytes(Int)

  var description: String {
    switch self {
    case .trace: "traced"
    case .fault(let place): "killed at \(place)"
    case .time(let time): "killed after \(time / .microseconds(1)) µs"
    case .bytes(let count): "killed after \(count) bytes"
    }
  }

  var environment: [String: String] {
    switch self {
    case .trace(let path): ["RASA_FAULT_TRACE": path]
    case .fault(let place): ["RASA_FAULT": "\(place)"]
    case .time, .bytes: [:]
    }
  }
}

/// A fault point, and which time that it is reached.
struct FaultPlace: Sendable, Hashable, CustomStringConvertible {
  var point: String
  var occurrence: Int

  var description: String { "\(point):\(occurrence)" }

  /// How often a point is reached that is named so depends on how the bytes came in.
  var isSteady: Bool { !point.hasPrefix("call.content") }

  /// Every place of a trace, in order.
  static func places(ofTrace text: String) -> [FaultPlace] {
    var counts: [String: Int] = [:]
    return text.split(separator: "\n").map { line in
      counts[String(line), default: 0] += 1
      return FaultPlace(point: String(line), occurrence: counts[String(line)] ?? 1)
    }
  }
}
