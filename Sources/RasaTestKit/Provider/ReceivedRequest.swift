package import RasaCore
import RasaDocuments

/// One line of the invoice: what was asked, and what became of the answer.
package struct ReceivedRequest: Sendable {
  package enum Outcome: Sendable, Hashable {
    case answering
    /// The whole answer was given to the socket.
    case completed
    /// The answer broke off as its script says.
    case broken
    /// The peer hung up before the answer was complete; in monotonic nanoseconds.
    case peerGone(at: UInt64)
  }

  /// Counted from 0 in the order of arrival.
  package let index: Int
  /// Which connection brought it, counted from 0.
  package let connection: Int
  /// When its last byte had arrived, in monotonic nanoseconds.
  package let time: UInt64
  package let method: String
  package let path: String
  package let headers: [(name: String, value: String)]
  package let body: [UInt8]
  /// The body, or null when it is not JSON.
  package let json: Value

  package internal(set) var tokensSent = 0
  package internal(set) var bytesSent = 0
  package internal(set) var outcome = Outcome.answering
  /// What was answered with; 0 until something was.
  package internal(set) var status = 0
  /// Whether it came again with a key that had been answered.
  package internal(set) var isRepeat = false

  init(index: Int, connection: Int, time: UInt64, head: RequestHead, body: [UInt8]) {
    self.index = index
    self.connection = connection
    self.time = time
    method = head.method
    path = head.path
    headers = head.headers
    self.body = body
    json = (try? JSON.parse(body)) ?? .null
  }

  package func header(_ name: String) -> String? {
    headers.first { $0.name.lowercased() == name.lowercased() }?.value
  }

  /// What the peer calls this request, so that it can be recognised when it comes again.
  package var idempotencyKey: String? { header("idempotency-key") }

  /// Whether the whole answer was sent.
  package var isCompleted: Bool { outcome == .completed }

  /// Whether it costs money: a whole answer, given for the first time.
  package var isBilled: Bool {
    isCompleted && status == 200 && !isRepeat && method == "POST"
  }

  package var model: String? { json["model"].string }

  /// The text of each message in order.
  package var messages: [String] {
    (json["messages"].array ?? []).map { $0["content"].promptText }
  }

  package var lastMessage: String { messages.last ?? "" }

  /// The JSON Schema that the answer must satisfy; an empty one when any object will do.
  package var schema: Value? {
    switch json["response_format"]["type"].string {
    case "json_schema": return json["response_format"]["json_schema"]["schema"]
    case "json_object": return ["type": "object"]
    default: break
    }
    switch json["format"] {
    case .object: return json["format"]
    case "json": return ["type": "object"]
    default: return nil
    }
  }

  /// Words in all messages: the scripted count of prompt tokens.
  var promptWords: Int {
    messages.reduce(0) { $0 + $1.split(whereSeparator: \.isWhitespace).count }
  }
}
