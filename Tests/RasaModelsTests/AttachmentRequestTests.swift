import RasaCore
import RasaDocuments
import RasaEngine
import RasaPersona
import RasaTestKit
import Testing

@testable import RasaModels

/// Testing has one of its own.
typealias Attachment = RasaEngine.Attachment

extension Attachment {
  static let photo = Attachment(
    name: "photo.png", type: .png, bytes: [1, 2, 3],
    pixels: PixelSize(width: 1024, height: 1024))
  static let paper = Attachment(name: "paper.pdf", type: .pdf, bytes: [4, 5], pages: 3)
}

extension ModelRequest {
  static func attaching(_ attachments: Attachment...) -> ModelRequest {
    ModelRequest(
      messages: [
        ChatMessage(.system, "S"), ChatMessage(.user, "Look.", attachments: attachments),
      ], name: "respond")
  }
}

@Suite("Attachments on the wire")
struct AttachmentRequestTests {
  private func messages(_ wire: WireRequest, _ member: String = "messages") throws -> Value {
    try JSON.parse(wire.body)[member]
  }

  @Test("OpenAI: data URLs, an image with its detail and a PDF as a file")
  func openAI() throws {
    var call = WireCall.made(
      .attaching(.photo, .paper), try .openAI(baseURL: nil, key: nil))
    call.imageDetail = .high
    #expect(
      try messages(OpenAIChat.request(call)) == [
        ["role": "system", "content": "S"],
        [
          "role": "user",
          "content": [
            ["type": "text", "text": "Look."],
            [
              "type": "image_url",
              "image_url": ["url": "data:image/png;base64,AQID", "detail": "high"],
            ],
            [
              "type": "file",
              "file": [
                "filename": "paper.pdf", "file_data": "data:application/pdf;base64,BAU=",
              ],
            ],
          ],
        ],
      ])
    // A server that may not know the word is not sent it.
    call.imageDetail = nil
    let parts = try messages(OpenAIChat.request(call)).array?[1]["content"].array
    #expect(parts?[1]["image_url"] == ["url": "data:image/png;base64,AQID"])
  }

  @Test("Anthropic: blocks before the text, a document with its title")
  func anthropic() throws {
    let call = WireCall.made(.attaching(.photo, .paper), .anthropic)
    #expect(
      try messages(AnthropicMessages.request(call)) == [
        [
          "role": "user",
          "content": [
            [
              "type": "image",
              "source": ["type": "base64", "media_type": "image/png", "data": "AQID"],
            ],
            [
              "type": "document",
              "source": ["type": "base64", "media_type": "application/pdf", "data": "BAU="],
              "title": "paper.pdf",
            ],
            ["type": "text", "text": "Look."],
          ],
        ]
      ])
  }

  @Test("Gemini: inline data before the text")
  func gemini() throws {
    let call = WireCall.made(.attaching(.photo, .paper), .gemini)
    #expect(
      try messages(GeminiContent.request(call), "contents") == [
        [
          "role": "user",
          "parts": [
            ["inlineData": ["mimeType": "image/png", "data": "AQID"]],
            ["inlineData": ["mimeType": "application/pdf", "data": "BAU="]],
            ["text": "Look."],
          ],
        ]
      ])
  }

  @Test("Ollama: a list of images beside the text")
  func ollama() throws {
    let call = WireCall.made(.attaching(.photo), try .ollama(host: "127.0.0.1"))
    #expect(
      try messages(OllamaChat.request(call)) == [
        ["role": "system", "content": "S"],
        ["role": "user", "content": "Look.", "images": ["AQID"]],
      ])
  }
}

@Suite("Attachments in tokens")
struct AttachmentFormulaTests {
  /// What the providers' own pages give as examples, and what has been measured of them.
  @Test(
    arguments: [
      // OpenAI's examples of tiles.
      ("gpt-4o", "openai", 1024, 1024, 765), ("gpt-4o", "openai", 2048, 4096, 1105),
      ("gpt-4o", "openai", 128, 64, 255), ("gpt-4o-mini", "openai", 1024, 1024, 25_501),
      ("gpt-5", "openai", 1024, 1024, 630), ("o3", "openai", 1024, 1024, 675),
      // Patches of 32, with the factor of the model.
      ("gpt-4.1-mini", "openai", 1024, 1024, 1_659), ("o4-mini", "openai", 32, 32, 2),
      ("gpt-5.4", "openai", 1024, 1024, 1_229), ("gpt-5.4", "openai", 4032, 3024, 3_000),
      // Anthropic: squares of 28, or the area by 750 where that is more.
      ("claude-sonnet-4-5", "anthropic", 1000, 1000, 1_334),
      ("claude-sonnet-4-5", "anthropic", 4000, 3000, 1_600),
      ("claude-opus-5", "anthropic", 1920, 1080, 2_765),
      ("claude-opus-5", "anthropic", 8000, 8000, 4_784),
      ("claude-opus-5", "anthropic", 10, 10, 1),
      // Gemini: one for a small image, tiles for larger ones; a fixed allotment since 3.
      ("gemini-2.5-flash", "google", 384, 384, 258),
      ("gemini-2.5-flash", "google", 960, 540, 1_548),
      ("gemini-3.5-flash", "google", 4032, 3024, 1_120),
    ] as [(String, String, Int64, Int64, Int64)])
  func images(_ row: (model: String, vendor: String, width: Int64, height: Int64, tokens: Int64)) {
    let formula = AttachmentFormula(model: row.model, vendor: row.vendor, isLowDetail: false)
    #expect(formula?.tokens(of: .init(width: row.width, height: row.height)) == row.tokens)
  }

  @Test func lowDetailIsTheBaseAlone() {
    let formula = AttachmentFormula(model: "gpt-4o", vendor: "openai", isLowDetail: true)
    #expect(formula?.tokens(of: .init(width: 4096, height: 8192)) == 85)
  }

  @Test(arguments: [("llava", "llava"), ("gpt-oss", "openai"), ("m", nil)] as [(String, String?)])
  func nobodyKnowsTheOthers(_ row: (model: String, vendor: String?)) {
    #expect(AttachmentFormula(model: row.model, vendor: row.vendor, isLowDetail: false) == nil)
  }

  @Test func noSizeTrapsAndEveryImageCountsSomething() {
    let sides: [Int64] = [1, 2, 31, 33, 767, 769, 2049, 100_000, Int64(Int32.max), .max]
    for model in [
      ("gpt-4o", "openai"), ("gpt-5.4", "openai"), ("claude-opus-5", "anthropic"),
      ("gemini-2.5-pro", "google"), ("gemini-3.5-flash", "google"),
    ] {
      let formula = AttachmentFormula(model: model.0, vendor: model.1, isLowDetail: false)
      for width in sides {
        for height in sides {
          let tokens = formula?.tokens(of: .init(width: width, height: height)) ?? 0
          #expect((1...60_000).contains(tokens), "\(model) \(width)×\(height): \(tokens)")
        }
      }
      #expect((formula?.tokensOfPage ?? 0) >= 258)
    }
  }
}

@Suite("What tools return besides text")
struct ReturnedMediaTests {
  private static let request: ModelRequest = {
    var request = ModelRequest(
      messages: [
        ChatMessage(.user, "Draw."),
        ChatMessage(
          .assistant, "",
          toolCalls: [
            ToolCall(id: "c1", name: "draw", arguments: [:]),
            ToolCall(id: "c2", name: "say", arguments: [:]),
          ]),
        ChatMessage(.tool, "drawn", toolCallID: "c1", attachments: [.photo]),
        ChatMessage(.tool, "no", toolCallID: "c2"),
      ],
      tools: [ToolDefinition(name: "draw", description: "", parameters: ["type": "object"])])
    request.messages[3].isError = true
    return request
  }()

  private func body(_ wire: WireRequest) throws -> Value { try JSON.parse(wire.body) }

  @Test("Anthropic has it in the result, and marks errors")
  func anthropic() throws {
    let call = WireCall.made(Self.request, .anthropic)
    let turns = try body(AnthropicMessages.request(call))["messages"].array
    #expect(
      turns?.last?["content"] == [
        [
          "type": "tool_result", "tool_use_id": "c1",
          "content": [
            ["type": "text", "text": "drawn"],
            [
              "type": "image",
              "source": ["type": "base64", "media_type": "image/png", "data": "AQID"],
            ],
          ],
        ],
        ["type": "tool_result", "tool_use_id": "c2", "content": "no", "is_error": true],
      ])
  }

  @Test("OpenAI is shown it by a user's message behind all results")
  func openAI() throws {
    let call = WireCall.made(Self.request, try .openAI(baseURL: nil, key: nil))
    let messages = try body(OpenAIChat.request(call))["messages"].array ?? []
    #expect(messages.map { $0["role"] } == ["user", "assistant", "tool", "tool", "user"])
    #expect(messages[2]["content"] == "drawn")
    #expect(
      messages[4]["content"].array?.map { $0["type"] } == ["text", "image_url"])
  }

  @Test("Gemini has it beside the result")
  func gemini() throws {
    let call = WireCall.made(Self.request, .gemini)
    let parts = try body(GeminiContent.request(call))["contents"].array?.last?["parts"].array ?? []
    #expect(parts.count == 3)
    #expect(parts[1]["inlineData"]["data"] == "AQID")
    #expect(parts[2]["functionResponse"]["response"] == ["error": "no"])
  }

  @Test("Ollama has it as images of the result")
  func ollama() throws {
    let call = WireCall.made(Self.request, try .ollama(host: "127.0.0.1"))
    let messages = try body(OllamaChat.request(call))["messages"].array ?? []
    #expect(messages[2]["images"] == ["AQID"] && messages[2]["tool_name"] == "draw")
  }

  @Test("a model that does not take it reads that it is there")
  func note() throws {
    let settings = try ProviderSettings.ollama(host: "127.0.0.1")
    let candidate = Candidate(settings: settings, model: "m", facts: nil)
    let shown = Self.request.shown(to: candidate)
    #expect(shown.messages[2].attachments.isEmpty)
    #expect(
      shown.messages[2].text
        == "drawn\n[photo.png (PNG image, 1024×1024) was returned, which you cannot be shown]")
    #expect(shown.messages[3] == Self.request.messages[3])
  }
}
