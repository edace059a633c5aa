import RasaCore
import RasaHTTPClient
import RasaSystem
import RasaTestKit

extension HTTPRequest {
  /// A chat completion, as an adapter would ask for it.
  static func chat(
    _ provider: ScriptedProvider, model: String = "scripted", stream: Bool = true,
    headerDeadline: UInt64? = nil
  ) -> HTTPRequest {
    let body: Value = [
      "model": .string(model), "stream": .bool(stream),
      "stream_options": ["include_usage": true],
      "messages": [["role": "user", "content": "hello there"]],
    ]
    return HTTPRequest(
      url: provider.openAIBaseURL + "/chat/completions",
      headers: [("Content-Type", "application/json"), ("Authorization", "Bearer sk-secret")],
      body: body.jsonBytes(), allowsPlainHTTP: true, headerDeadline: headerDeadline)
  }

  static func get(_ server: RawServer) -> HTTPRequest {
    HTTPRequest(method: "GET", url: server.baseURL + "/", allowsPlainHTTP: true)
  }
}

extension HTTPBody {
  /// Everything until the end, as text.
  func text() async throws -> String {
    var bytes: [UInt8] = []
    while let chunk = try await next() { bytes += chunk }
    return String(decoding: bytes, as: UTF8.self)
  }
}

extension String {
  func count(of part: String) -> Int {
    split(separator: part, omittingEmptySubsequences: false).count - 1
  }
}

func code(_ error: any Error) -> HTTPError.Code? { (error as? HTTPError)?.code }

/// That long from now, on the clock that deadlines are given in.
func deadline(_ duration: Duration) -> UInt64 {
  TimeSource.system.monotonic() + UInt64(duration / .nanoseconds(1))
}
