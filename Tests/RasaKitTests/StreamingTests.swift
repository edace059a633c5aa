import RasaKit
import RasaTestKit
import Testing

@Suite("The events of a run", .timeLimit(.minutes(1))) struct StreamingTests {
  private func kit(words: Int = 1_000) async throws -> Kit {
    var long = Script()
    long.answer = .words(words)
    let kit = try Kit(provider: [long])
    try await kit.rasa.register(Kit.writer)
    return kit
  }

  @Test("are all read although the result is asked for meanwhile")
  func resultBesideReader() async throws {
    let kit = try await kit()
    let run = try await kit.rasa.run(agent: "note-writer", input: "What is new?")
    var events = run.makeAsyncIterator()
    async let result = run.result()
    var text = ""
    while let event = try await events.next() {
      if case .output(let piece) = event { text += piece }
    }
    #expect(try await result.text == text)
    #expect(text.split(separator: " ").count == 1_000)
    await kit.rasa.close()
  }

  @Test("are refused instead of cut off to a reader that comes after they were dropped")
  func readerAfterResult() async throws {
    let kit = try await kit()
    let run = try await kit.rasa.run(agent: "note-writer", input: "What is new?")
    _ = try await run.result()
    let error = await #expect(throws: RasaError.self) {
      for try await _ in run {}
    }
    #expect(error?.code == .usage)
    await kit.rasa.close()
  }

  @Test("have one reader at a time")
  func twoReaders() async throws {
    let kit = try await kit(words: 3)
    let run = try await kit.rasa.run(agent: "note-writer", input: "What is new?")
    var first = run.makeAsyncIterator()
    _ = try await first.next()
    let error = await #expect(throws: RasaError.self) {
      var second = run.makeAsyncIterator()
      _ = try await second.next()
    }
    #expect(error?.code == .usage)
    while try await first.next() != nil {}
    await kit.rasa.close()
  }

  @Test("hold up no result once their reader has left")
  func readerLeaves() async throws {
    let kit = try await kit()
    let run = try await kit.rasa.run(agent: "note-writer", input: "What is new?")
    for try await event in run {
      if case .output = event { break }
    }
    #expect(try await run.result().text.split(separator: " ").count == 1_000)
    await kit.rasa.close()
  }

  @Test("end with the error that the run ended with")
  func failure() async throws {
    let kit = try await kit()
    var options = Rasa.RunOptions()
    options.maxCost = Rasa.Dollars("0.000000001")
    let run = try await kit.rasa.run(agent: "note-writer", input: "x", options: options)
    do {
      for try await _ in run {}
      Issue.record("the run came to an answer")
    } catch {
      // The loop throws nothing but `RasaError`.
      #expect(error.code == .budget && error.run == run.id)
    }
    await kit.rasa.close()
  }
}
