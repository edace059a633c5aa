import RasaCore
import RasaTestKit
import Testing

@testable import RasaServer

@Suite("The log of a run")
struct RunLogTests {
  /// What a client makes of messages.
  private struct Client {
    var place: RunPlace?
    var text: [UInt8] = []
    var lines: [String] = []
    var hasResult = false

    mutating func take(_ messages: [RunReader.Message]) {
      for message in messages {
        switch message {
        case .event(let json, let place):
          lines.append(String(decoding: json, as: UTF8.self))
          self.place = place
        case .text(let bytes, let place):
          text += bytes
          self.place = place
        case .restart(let json, let place):
          #expect(!json.isEmpty)
          text = Array(text.prefix(place.bytes))
          self.place = place
        case .passing: break
        case .result: hasResult = true
        }
      }
    }
  }

  @Test(
    "a client that comes back, here or to a later process, has each line and each byte once",
    arguments: 0..<200)
  func comingBack(seed: Int) {
    var numbers = SeededNumbers(seed: UInt64(seed))
    var log = RunLog()
    var lines: [Value] = []
    var output: [UInt8] = []
    var client = Client()
    var reader = RunReader(after: nil)
    let words = ["a", "é", "😀 ", "text ", "\n\n", String(repeating: "long ", count: 20_000)]
    for _ in 0..<60 {
      switch Int.random(in: 0..<10, using: &numbers) {
      case 0, 1:
        let line: Value = ["type": "frame.entered", "number": .int(Int64(lines.count))]
        lines.append(line)
        log.add(line: line)
      case 2, 3, 4:
        let word = words.randomElement(using: &numbers) ?? ""
        output += word.utf8
        log.add(output: word)
      case 5: log.add(passing: ["type": "reasoning"])
      case 6:
        // An operator begins again; what comes then may be the same or not.
        let keeps = Int.random(in: 0...output.count, using: &numbers)
        guard String(validating: output.prefix(keeps), as: UTF8.self) != nil else { break }
        output = Array(output.prefix(keeps))
        log.restart(keeps: keeps, ["type": "restart"])
      case 7: client.take(log.read(&reader))
      case 8:
        client.take(log.read(&reader))
        reader = RunReader(after: client.place)
      default:
        // Another process goes on: its journal has the lines, and the output begins again.
        client.take(log.read(&reader))
        log = RunLog(lines: lines.map { $0.jsonBytes(.compact) })
        reader = RunReader(after: client.place)
        if Bool.random(using: &numbers) { output = Array("another ".utf8) }
        log.add(output: String(decoding: output, as: UTF8.self))
      }
    }
    log.end(["type": "result"])
    while !client.hasResult { client.take(log.read(&reader)) }
    #expect(client.text == output)
    #expect(client.lines == lines.map { $0.json(.compact) })
  }

  @Test("a slow client gets the rest in pieces, and no character is cut")
  func pieces() {
    let log = RunLog()
    log.add(output: String(repeating: "é", count: 200_000))
    log.end(["type": "result"])
    var reader = RunReader(after: nil)
    var sizes: [Int] = []
    var hasEnded = false
    while !hasEnded {
      for message in log.read(&reader) {
        if case .text(let bytes, _) = message {
          #expect(String(validating: bytes, as: UTF8.self) != nil)
          sizes.append(bytes.count)
        }
        if case .result = message { hasEnded = true }
      }
    }
    #expect(sizes.reduce(0, +) == 400_000)
    #expect(sizes.allSatisfy { $0 <= 65_536 })
  }

  @Test(
    "what is no place is none",
    arguments: ["", "1", "1.2", "a.b.c", "1.2.3.4", "-1.0.0", "1.-2.a", "1.2.xyz"])
  func places(text: String) { #expect(RunPlace(text) == nil) }

  @Test("a place survives being written")
  func placeText() {
    let place = RunPlace(after: Array("text".utf8), lines: 7)
    #expect(RunPlace(place.description) == place)
  }
}
