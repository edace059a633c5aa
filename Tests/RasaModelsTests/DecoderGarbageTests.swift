import RasaCore
import RasaEngine
import RasaPersona
import RasaTestKit
import Testing

@testable import RasaModels

@Suite struct DecoderGarbageTests {
  private static let goldens: [(Dialect, String)] = [
    (.openAI, OpenAIDecoderTests.golden), (.anthropic, AnthropicDecoderTests.golden),
    (.gemini, GeminiDecoderTests.golden), (.ollama, OllamaDecoderTests.golden),
  ]

  @Test(arguments: Dialect.allCases)
  func bytesWithoutMeaningAreAnError(_ dialect: Dialect) {
    var dice = SeededNumbers(seed: 11)
    let marks = Array("data: {}[]\":,\\\n\r0e-.tfn".utf8)
    for _ in 0..<2_000 {
      let count = Int.random(in: 0...200, using: &dice)
      let bytes = (0..<count).map { _ in
        Bool.random(using: &dice)
          ? UInt8.random(in: 0...255, using: &dice) : marks.randomElement(using: &dice) ?? 0
      }
      let decoded = Decoded(dialect.decoder(), [bytes])
      #expect(decoded.problem != nil || decoded.finish != nil || decoded.isDone)
    }
  }

  /// A stream with one byte changed, removed or doubled may mean anything; it must mean the same
  /// however it is cut.
  @Test(arguments: Dialect.allCases)
  func damagedStreamsMeanTheSameHoweverTheyAreCut(_ dialect: Dialect) throws {
    let golden = try #require(Self.goldens.first { $0.0 == dialect }).1
    let bytes = Array(golden.utf8)
    var dice = SeededNumbers(seed: 13)
    for _ in 0..<400 {
      var damaged = bytes
      let place = Int.random(in: bytes.indices, using: &dice)
      switch Int.random(in: 0..<4, using: &dice) {
      case 0: damaged[place] = UInt8.random(in: 0...255, using: &dice)
      case 1: damaged.remove(at: place)
      case 2: damaged.insert(damaged[place], at: place)
      default: damaged.removeSubrange(place...)
      }
      let whole = Decoded(dialect.decoder(), [damaged])
      let cut = Int.random(in: 0...damaged.count, using: &dice)
      let pieces = [Array(damaged[..<cut]), Array(damaged[cut...])]
      #expect(Decoded(dialect.decoder(), pieces) == whole)
      #expect(Decoded(dialect.decoder(), damaged.map { [$0] }) == whole)
    }
  }

  /// What is recognised by its shape says what it would say if it were read.
  @Test(arguments: Dialect.allCases)
  func recognisedEventsSayWhatTheySayWhenRead(_ dialect: Dialect) throws {
    let token: @Sendable (String, Int) -> String = { text, number in
      switch dialect {
      case .openAI:
        """
        data: {"id":"c","created":\(number),"choices":[{"index":0,"delta":{"content":\(text)},"finish_reason":null}],"obfuscation":"x\(number)"}


        """
      case .anthropic:
        """
        event: content_block_delta
        data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":\(text)}}


        """
      case .gemini:
        """
        data: {"candidates":[{"content":{"parts":[{"text":\(text)}]},"index":0}],"usageMetadata":{"promptTokenCount":5,"candidatesTokenCount":\(number)}}


        """
      case .ollama:
        """
        {"model":"m","created_at":"t\(number)","message":{"role":"assistant","content":\(text)},"done":false}

        """
      }
    }
    let texts = [
      "plain", " two words", "\"quoted\"", "\\", "\n", "grüße", "🌍", "\u{7}", "", "\"text\":\"x\"",
      "data: {}", "{\"content\":\"y\"}", "\u{2028}", "'", "end",
    ]
    var stream = ""
    var expected = ""
    for round in 0..<4 {
      for (index, text) in texts.enumerated() {
        stream += token(Value.string(text).json(), 10 * round + index)
        expected += text
      }
    }
    let decoded = dialect.decode(stream)
    #expect(decoded.text == expected)
    #expect(decoded.contentEvents == Int64(4 * (texts.count - 1)))
    if dialect == .gemini { #expect(decoded.usage == ReportedUsage(input: 5, output: 44)) }
  }
}
