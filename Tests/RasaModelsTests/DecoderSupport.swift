import RasaCore
import RasaEngine
import RasaTestKit
import Testing

@testable import RasaModels

/// Everything a decoder says of a stream, whatever the pieces.
struct Decoded: Equatable {
  var text = ""
  var reasoning = ""
  var contentEvents: Int64 = 0
  var usage: ReportedUsage?
  var finish: FinishReason?
  var isDone = false
  var problem: ProviderProblem.Kind?
  var message: String?
  var calls: [ToolCall] = []
  var parts: [ReasoningPart] = []

  init() {}

  init(_ decoder: consuming any ChatDecoder, _ pieces: [[UInt8]]) {
    for piece in pieces {
      decoder.feed(piece)
      take(&decoder.progress)
    }
    decoder.finish()
    take(&decoder.progress)
    contentEvents = decoder.progress.contentEvents
    usage = decoder.progress.usage
    finish = decoder.progress.finish
    isDone = decoder.progress.isDone
    problem = decoder.progress.problem?.kind
    message = decoder.progress.problem?.message
    calls = decoder.progress.toolCalls
    parts = decoder.progress.reasoningParts
  }

  private mutating func take(_ progress: inout ChatProgress) {
    if progress.takeBack() {
      reasoning += text
      text = ""
    }
    let content = progress.takeContent()
    text += content.text
    reasoning += content.reasoning
  }
}

typealias Dialect = ProviderSettings.Dialect

extension Dialect {
  func decode(_ stream: String, contentType: String? = nil) -> Decoded {
    Decoded(decoder(contentType: contentType), [Array(stream.utf8)])
  }
}

/// The stream as a whole, byte by byte, cut at every place (or every few), and cut at random.
func expectEverywhere(
  _ dialect: Dialect, _ stream: String, contentType: String? = nil, every step: Int = 1,
  is expected: Decoded,
  _ location: Testing.SourceLocation = #_sourceLocation
) {
  let bytes = Array(stream.utf8)
  func decode(_ pieces: [[UInt8]]) -> Decoded {
    Decoded(dialect.decoder(contentType: contentType), pieces)
  }
  #expect(decode([bytes]) == expected, sourceLocation: location)
  #expect(decode(bytes.map { [$0] }) == expected, sourceLocation: location)
  for cut in stride(from: 0, to: bytes.count, by: step) {
    let decoded = decode([Array(bytes[..<cut]), Array(bytes[cut...])])
    if decoded != expected {
      #expect(decoded == expected, "cut at \(cut)", sourceLocation: location)
      return
    }
  }
  var dice = SeededNumbers(seed: 7)
  for _ in 0..<50 {
    var pieces: [[UInt8]] = []
    var start = 0
    while start < bytes.count {
      let end = min(bytes.count, start + Int.random(in: 0...90, using: &dice))
      pieces.append(Array(bytes[start..<end]))
      start = end
    }
    let decoded = decode(pieces)
    if decoded != expected {
      #expect(decoded == expected, "\(pieces.map(\.count))", sourceLocation: location)
      return
    }
  }
}

extension String {
  func with(lineEnds: String) -> String {
    split(separator: "\n", omittingEmptySubsequences: false).joined(separator: lineEnds)
  }
}
