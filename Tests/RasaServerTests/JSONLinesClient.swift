import RasaCore
import RasaDocuments
import RasaProcess
import RasaTestKit

/// A program of this package at the other end of two pipes, with a message in each line.
final class JSONLinesClient: Sendable {
  let child: ChildProcess
  private struct State {
    var lines = LineSplitter(longestLine: 16 << 20)
    var waiting: [Value] = []
    var last: Int64 = 0
  }
  private let state = Locked(State())
  private let setting: ServingSetting

  init(_ arguments: [String], _ setting: ServingSetting) throws {
    self.setting = setting
    let program = setting.program
    child = try ChildProcess.start(
      ChildCommand(
        [RasaProgram.binary] + arguments, environment: program.environment,
        folder: program.home.path))
  }

  deinit { child.closeInput() }

  func send(_ message: Value) async throws {
    try await child.write(message.jsonBytes(.compact) + [10])
  }

  func write(_ text: String) async throws { try await child.write(Array(text.utf8)) }

  /// The next message; nil at the end.
  func next() async throws -> Value? {
    while true {
      let found = state.withLock { $0.waiting.isEmpty ? nil : $0.waiting.removeFirst() }
      if let found { return found }
      guard let chunk = try await child.read() else { return nil }
      try state.withLock { state in
        var found: [Value] = []
        try state.lines.feed(chunk) { (bytes, range, _) throws(Failure) in
          found.append(try JSON.parse(bytes[range]))
        }
        state.waiting += found
      }
    }
  }

  /// Reads up to the first message that fits, and gives all of them.
  func read(upTo fits: (Value) -> Bool) async throws -> [Value] {
    var found: [Value] = []
    while let message = try await next() {
      found.append(message)
      if fits(message) { return found }
    }
    throw Failure(.run, "the program ended before that: \(found.map { $0.json(.compact) })")
  }

  /// Begins a request, and returns its ID.
  func begin(_ method: String, _ params: Value = .emptyObject) async throws -> Int64 {
    let id = state.withLock { state in
      state.last += 1
      return state.last
    }
    try await send(
      ["jsonrpc": "2.0", "id": .int(id), "method": .string(method), "params": params])
    return id
  }

  func answer(to id: Int64) async throws -> Value {
    try await read { $0["id"].int == id && $0["method"].isNull }.last ?? .null
  }

  /// The response to a request, with everything before it skipped.
  func ask(_ method: String, _ params: Value = .emptyObject) async throws -> Value {
    try await answer(to: try await begin(method, params))
  }

  func notify(_ method: String, _ params: Value) async throws {
    try await send(["jsonrpc": "2.0", "method": .string(method), "params": params])
  }

  func answer(_ question: Value, _ result: Value) async throws {
    try await send(["jsonrpc": "2.0", "id": question["id"], "result": result])
  }

  /// Closes the input, waits for the end, and returns the exit code and what was said on standard error.
  func finish() async -> (status: String, errors: String) {
    child.closeInput()
    while let chunk = try? await child.read(), !chunk.isEmpty {}
    let status = await child.wait()
    return (status.description, child.errorTail)
  }
}
