import RasaCore
import RasaHTTPClient
import RasaTestKit
import Testing

@Suite("Tasks on the loop's thread", .timeLimit(.minutes(1))) struct LoopExecutorTests {
  @Test("read streams of their own, many at once")
  func readStreams() async throws {
    let provider = try ScriptedProvider.start([.words(200)])
    let client = HTTPClient()
    let lengths = try await Task(executorPreference: client.executor) {
      try await withThrowingTaskGroup(of: Int.self) { group in
        for _ in 0..<20 {
          group.addTask {
            try await client.send(.chat(provider)).body.collect(limit: 1 << 20).count
          }
        }
        return try await group.reduce(into: [Int]()) { $0.append($1) }
      }
    }.value
    #expect(lengths.count == 20 && lengths.allSatisfy { $0 > 2_000 })
    client.shutdown()
  }

  @Test("run before there is a thread, and after it has ended")
  func runWithoutLoop() async throws {
    let client = HTTPClient()
    let executor = client.executor
    #expect(await Task(executorPreference: executor) { 1 }.value == 1)
    client.shutdown()
    #expect(await Task(executorPreference: executor) { 2 }.value == 2)
  }

  @Test("end the loop that they run on, and go on elsewhere")
  func shutdownFromWithin() async throws {
    let provider = try ScriptedProvider.start([Script.words(2).broken(after: 1, .silence)])
    let client = HTTPClient()
    let outcome = await Task(executorPreference: client.executor) {
      do {
        let response = try await client.send(.chat(provider))
        _ = try await response.body.next()
        client.shutdown()
        while try await response.body.next() != nil {}
        return "the body ended"
      } catch {
        return "\((error as? HTTPError)?.code ?? .other)"
      }
    }.value
    #expect(outcome != "the body ended")
    try await provider.waitForDisconnect(ofRequest: 0)
  }

  @Test("never keep the sockets waiting, though they never wait themselves")
  func yielding() async throws {
    let provider = try ScriptedProvider.start([.words(50)])
    let client = HTTPClient()
    let isOver = Locked(false)
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask(executorPreference: client.executor) {
        while !isOver.withLock({ $0 }) { await Task.yield() }
      }
      let bytes = try await client.send(.chat(provider)).body.collect(limit: 1 << 20)
      #expect(bytes.count > 500)
      isOver.withLock { $0 = true }
      try await group.waitForAll()
    }
    client.shutdown()
  }
}
