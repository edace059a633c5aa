import RasaCore

/// A request, complete and checked.
package struct ServerRequest: Sendable {
  package var method: String
  /// As it was sent, with its `%` codes and without the query.
  package var path: String
  /// The parameters of the query in their order, decoded.
  package var query: [(name: String, value: String)]
  package var headers: [(name: String, value: String)]
  package var body: [UInt8]

  package init(
    method: String, path: String, query: [(name: String, value: String)] = [],
    headers: [(name: String, value: String)] = [], body: [UInt8] = []
  ) {
    self.method = method
    self.path = path
    self.query = query
    self.headers = headers
    self.body = body
  }

  /// The parts of the path between its slashes, each decoded for itself, so that `%2F` stays within its part.
  package var pathParts: [String] {
    path.split(atByte: "/", omittingEmpty: true).compactMap {
      RequestHead.decoded($0, isForm: false)
    }
  }

  /// The first header of that name, without regard to case.
  package func header(_ name: String) -> String? {
    headers.first { equalIgnoringCase($0.name, name) }?.value
  }

  /// The only parameter of that name; nil if there is none, or more than one.
  package func parameter(_ name: String) -> String? {
    let found = query.filter { $0.name == name }
    return found.count == 1 ? found[0].value : nil
  }
}

package struct ServerResponse: Sendable {
  package enum Body: Sendable {
    case bytes([UInt8])
    /// Written piece by piece. What the closure throws cuts the response off, so that no client takes it for whole.
    case stream(@Sendable (ResponseWriter) async throws -> Void)
  }

  package var status: Int
  package var headers: [(name: String, value: String)]
  package var body: Body

  package init(status: Int = 200, headers: [(name: String, value: String)] = [], body: Body) {
    self.status = status
    self.headers = headers
    self.body = body
  }

  package init(
    status: Int = 200, _ text: String, type: String = "text/plain; charset=utf-8",
    headers: [(name: String, value: String)] = []
  ) {
    self.init(
      status: status, headers: [("Content-Type", type)] + headers, body: .bytes(Array(text.utf8)))
  }
}

/// What a response is written to while it is sent.
package struct ResponseWriter: Sendable {
  let stream: ResponseStream

  /// Returns when there is room for more. Throws once the client has gone, or the server stops.
  package func write(_ bytes: [UInt8]) async throws { try await stream.write(bytes) }
  package func write(_ text: String) async throws { try await stream.write(Array(text.utf8)) }
}

func equalIgnoringCase(_ left: String, _ right: String) -> Bool {
  func lowered(_ byte: UInt8) -> UInt8 {
    (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 32 : byte
  }
  return left.utf8.elementsEqual(right.utf8) { lowered($0) == lowered($1) }
}
