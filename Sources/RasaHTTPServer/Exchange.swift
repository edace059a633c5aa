import CMicroHTTP

/// A client's connection, for as long as libmicrohttpd knows it.
final class ServerConnection {
  let socket: Int32
  /// When it is cut off.
  var deadline = UInt64.max
  init(socket: Int32) { self.socket = socket }
}

/// A request and its response.
@safe final class Exchange {
  enum Phase { case head, body, handling, responding }

  let number: UInt64
  var phase = Phase.head
  var connection: OpaquePointer?
  var peer: ServerConnection?
  var target = ""
  var isHead = false
  var request: ServerRequest?
  var received = 0
  var isTooLarge = false
  var task: Task<Void, Never>?
  var response: ServerResponse?
  var whole: [UInt8]?
  var stream: ResponseStream?
  var isSuspended = false
  var isAbandoned = false

  init(_ number: UInt64) {
    self.number = number
    unsafe connection = nil
  }
}
